import { AsyncLocalStorage } from 'node:async_hooks';
import { noCost, OPERATIONS_TOLD_MAX, TIMING_NAMES, type Cost, type Operation } from '$lib/cost';

/** What one request spent on the stores: how many operations of each kind, and how long they took. */
export type Meter = {
  /** Counts an operation (a KV method, or `query` for D1) and returns the function to call when it is done. */
  start(operation: string, count: number): () => void;
  /** Counts an operation that is sent a second time. */
  countAgain(operation: string, count: number): void;
  cost(): Cost;
  /** The finished operations in the order in which they began, at most `OPERATIONS_TOLD_MAX`. */
  operations(): Operation[];
  /**
   * The value of the `Server-Timing` header (W3C Server Timing). For each kind, `desc` is the count and `dur` the milliseconds. If D1 was
   * asked again, `d1-retry` says how many of the queries were repeats. One entry per operation follows (`readOperations`).
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

const checking = new AsyncLocalStorage<true>();

/** Runs the session check: its store operations are reported separately from the page's own content. */
export function asCheck<T>(work: () => Promise<T>): Promise<T> {
  return checking.run(true, work);
}

/** In Workers the clock advances only with I/O, and I/O is what is timed here. */
export function createMeter(): Meter {
  const cost = noCost();
  const milliseconds = noCost();
  const begun: (Operation & { done: boolean })[] = [];
  let firstAt: number | undefined;
  let again = 0;

  return {
    start(operation, count) {
      const kind = KINDS[operation];
      if (!kind) return () => {};
      cost[kind] += count;
      const startedAt = performance.now();
      firstAt ??= startedAt;
      const isCheck = checking.getStore() === true;
      const one = { kind, count, isCheck, start: startedAt - firstAt, duration: 0, done: false };
      begun.push(one);
      return () => {
        one.duration = performance.now() - startedAt;
        one.done = true;
        milliseconds[kind] += one.duration;
      };
    },
    countAgain(operation, count) {
      const kind = KINDS[operation];
      if (!kind) return;
      cost[kind] += count;
      again += count;
    },
    cost: () => ({ ...cost }),
    operations: () => begun.filter(({ done }) => done).slice(0, OPERATIONS_TOLD_MAX),
    serverTiming() {
      const kinds = Object.entries(TIMING_NAMES).map(([kind, name]) => {
        const key = kind as keyof Cost;
        return `${name};desc="${cost[key]}";dur=${milliseconds[key].toFixed(1)}`;
      });
      const retries = again > 0 ? [`d1-retry;desc="${again}"`] : [];
      const each = this.operations().map(({ kind, count, isCheck, start, duration }) => {
        const what = `${isCheck ? 'check' : 'content'} ${TIMING_NAMES[kind]} ${count} ${start.toFixed(1)}`;
        return `op;desc="${what}";dur=${duration.toFixed(1)}`;
      });
      return [...kinds, ...retries, ...each].join(', ');
    },
  };
}
