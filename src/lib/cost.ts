/** What a request cost in operations of the two stores. */
export type Cost = {
  kvReads: number;
  kvWrites: number;
  kvDeletes: number;
  kvLists: number;
  d1Queries: number;
};

/** Where the prices below come from. */
export const PRICES = {
  kv: 'https://developers.cloudflare.com/kv/platform/pricing/',
  d1: 'https://developers.cloudflare.com/d1/platform/pricing/',
};

/**
 * US dollars per million operations past what is included in the paid plan. D1 is billed by rows, not by queries: $0.001 per million
 * rows read. A page view only reads there, about two rows a query. What Pages itself charges for a request is not in it.
 */
const DOLLARS_PER_MILLION = { kvReads: 0.5, kvWrites: 5, kvDeletes: 5, kvLists: 5, d1Queries: 0.002 };

/** What a million such page views cost, in US dollars. */
export function dollarsPerMillion(cost: Cost): number {
  return Object.entries(DOLLARS_PER_MILLION).reduce(
    (sum, [kind, price]) => sum + cost[kind as keyof Cost] * price,
    0,
  );
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
