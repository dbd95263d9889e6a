/** The number of operations that a request made in the two stores. */
export type Cost = {
  kvReads: number;
  kvWrites: number;
  kvDeletes: number;
  kvLists: number;
  d1Queries: number;
};

/** The source of the prices below. */
export const PRICES = {
  kv: 'https://developers.cloudflare.com/kv/platform/pricing/',
  d1: 'https://developers.cloudflare.com/d1/platform/pricing/',
};

/**
 * US dollars per million operations above what the paid plan includes. D1 bills rows, not queries: $0.001 per million rows read. A page
 * view only reads from D1: three rows a query, or a few more after a rotation. What Pages itself charges for a request is not included.
 */
const DOLLARS_PER_MILLION = { kvReads: 0.5, kvWrites: 5, kvDeletes: 5, kvLists: 5, d1Queries: 0.003 };

/** Returns what a million page views of this cost would cost, in US dollars. */
export function dollarsPerMillion(cost: Cost): number {
  return Object.entries(DOLLARS_PER_MILLION).reduce(
    (sum, [kind, price]) => sum + cost[kind as keyof Cost] * price,
    0,
  );
}

/** The name of each kind in `Server-Timing`. */
export const TIMING_NAMES: Record<keyof Cost, string> = {
  kvReads: 'kv-read',
  kvWrites: 'kv-write',
  kvDeletes: 'kv-delete',
  kvLists: 'kv-list',
  d1Queries: 'd1-query',
};

export const noCost = (): Cost => ({ kvReads: 0, kvWrites: 0, kvDeletes: 0, kvLists: 0, d1Queries: 0 });

/**
 * One operation of a store. A D1 batch is one operation with several queries. Times are milliseconds; `start` counts from the start of the
 * first operation.
 */
export type Operation = {
  kind: keyof Cost;
  count: number;
  /** Whether it checked who is signed in. The other operations load the page's content. */
  isCheck: boolean;
  start: number;
  duration: number;
};

/** No page has as many. A long header would help nobody. */
export const OPERATIONS_TOLD_MAX = 12;

type Entry = { name: string; description: string; duration: number };

/** Reads the counts back from `Server-Timing` entries, as the browser's performance timeline holds them. */
export function costOf(entries: readonly Pick<Entry, 'name' | 'description'>[]): Cost | null {
  const cost = noCost();
  for (const [kind, name] of kinds()) {
    cost[kind] = Number(entries.find((entry) => entry.name === name)?.description ?? NaN);
  }
  return Object.values(cost).some(Number.isNaN) ? null : cost;
}

/** Reads the individual operations back. */
export function readOperations(entries: readonly Entry[]): Operation[] {
  return entries.flatMap(({ name, description, duration }) => {
    const [part, timingName, count, start] = description.split(' ');
    const [kind] = kinds().find(([, known]) => known === timingName) ?? [];
    if (name !== 'op' || !kind) return [];
    return { kind, count: Number(count), isCheck: part === 'check', start: Number(start), duration };
  });
}

const kinds = () => Object.entries(TIMING_NAMES) as [keyof Cost, string][];
