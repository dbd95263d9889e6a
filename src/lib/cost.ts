/** What a request cost in operations of the two stores. */
export type Cost = {
  kvReads: number;
  kvWrites: number;
  kvDeletes: number;
  kvLists: number;
  d1Queries: number;
};

/**
 * US dollars per million KV operations past what is included in the paid plan
 * (developers.cloudflare.com/kv/platform/pricing). D1 is billed by rows read and written, and a confirm query reads two:
 * $0.001 per million rows read (developers.cloudflare.com/d1/platform/pricing).
 */
const DOLLARS_PER_MILLION = { kvReads: 0.5, kvWrites: 5, kvDeletes: 5, kvLists: 5, d1Queries: 0.002 };

/** What a million such requests cost, in US dollars. */
export function dollarsPerMillion(cost: Cost): number {
  return Object.entries(DOLLARS_PER_MILLION).reduce(
    (sum, [kind, price]) => sum + cost[kind as keyof Cost] * price,
    0,
  );
}

/** "1 KV read, 0 D1 queries: $0.50 per million such pages". Kinds that were not used are left out, but for these two. */
export function costInWords(cost: Cost): string {
  const parts = [
    count(cost.kvReads, 'KV read'),
    ...(cost.kvWrites ? [count(cost.kvWrites, 'KV write')] : []),
    ...(cost.kvLists ? [count(cost.kvLists, 'KV list')] : []),
    ...(cost.kvDeletes ? [count(cost.kvDeletes, 'KV delete')] : []),
    cost.d1Queries === 1 ? '1 D1 query' : `${cost.d1Queries} D1 queries`,
  ];
  return `${parts.join(', ')}: $${dollarsPerMillion(cost).toFixed(2)} per million such pages`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Reads the counts back from `Server-Timing` entries, as the browser's performance timeline has them. */
export function costOf(entries: readonly { name: string; description: string }[]): Cost | null {
  const of = (name: string) => Number(entries.find((entry) => entry.name === name)?.description ?? NaN);
  const cost = {
    kvReads: of('kv-read'),
    kvWrites: of('kv-write'),
    kvDeletes: of('kv-delete'),
    kvLists: of('kv-list'),
    d1Queries: of('d1-query'),
  };
  return Object.values(cost).some(Number.isNaN) ? null : cost;
}
