import type { Cost } from '$lib/cost';

/** What one request spent on the stores: how many operations of each kind, and the time they took. */
export type Meter = {
  /** Counts an operation (a KV method, or `query` for D1) and gives the function to call when it is done. */
  start(operation: string, count: number): () => void;
  /** Counts an operation that is sent a second time. */
  countAgain(operation: string, count: number): void;
  cost(): Cost;
  /**
   * The value of the `Server-Timing` header (W3C Server Timing): `desc` is the count, `dur` milliseconds. Where D1 was asked again, `d1-retry`
   * says how many of the queries that were.
   */
  serverTiming(): string;
};

/** KV's methods by what they are billed as (Workers KV, pricing). */
const KINDS: Record<string, keyof Cost> = {
  get: 'kvReads',
  getWithMetadata: 'kvReads',
  put: 'kvWrites',
  delete: 'kvDeletes',
  list: 'kvLists',
  query: 'd1Queries',
};

const TIMING_NAMES: Record<keyof Cost, string> = {
  kvReads: 'kv-read',
  kvWrites: 'kv-write',
  kvDeletes: 'kv-delete',
  kvLists: 'kv-list',
  d1Queries: 'd1-query',
};

/** The clock of Workers moves only with I/O, which is what is timed here. */
export function createMeter(): Meter {
  const cost: Cost = { kvReads: 0, kvWrites: 0, kvDeletes: 0, kvLists: 0, d1Queries: 0 };
  const milliseconds: Cost = { ...cost };
  let again = 0;

  return {
    start(operation, count) {
      const kind = KINDS[operation];
      if (!kind) return () => {};
      cost[kind] += count;
      const startedAt = performance.now();
      return () => {
        milliseconds[kind] += performance.now() - startedAt;
      };
    },
    countAgain(operation, count) {
      const kind = KINDS[operation];
      if (!kind) return;
      cost[kind] += count;
      again += count;
    },
    cost: () => ({ ...cost }),
    serverTiming() {
      const entries = Object.entries(TIMING_NAMES).map(([kind, name]) => {
        const key = kind as keyof Cost;
        return `${name};desc="${cost[key]}";dur=${milliseconds[key].toFixed(1)}`;
      });
      return [...entries, ...(again > 0 ? [`d1-retry;desc="${again}"`] : [])].join(', ');
    },
  };
}
