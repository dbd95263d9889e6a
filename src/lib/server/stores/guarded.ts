import type { SessionKV } from '../kv-adapter';
import { inTime } from './in-time';
import { createMeter, type Meter } from './meter';
import { logStore } from './store-log';
import { isRead, nameOf, tookEffect, WRITES, type Deeds, type WriteName } from './writes';

export type StoreName = 'KV' | 'D1';

/** A store threw or did not respond in time. */
export class StoreUnavailable extends Error {
  constructor(
    readonly store: StoreName,
    readonly operation: string,
    cause: unknown,
  ) {
    super(`[stores] ${store} ${operation} failed: ${messageOf(cause)}`, { cause });
    this.name = 'StoreUnavailable';
  }
}

/** Whether D1 said that it cannot read or write this table. Other tables may still work. */
export function isTableDown(error: unknown, table: string): boolean {
  return error instanceof StoreUnavailable && new RegExp(`\\b${table}\\b`).test(error.message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The two stores of one request, behind a guard that notices when one of them is down. */
export type Stores = {
  kv: KVNamespace;
  db: D1Database;
  /** The same D1 for operations that have no time for a second try. */
  dbOnce: D1Database;
  /** The last failure of this request. Prisma wraps the errors that pass through it; this keeps the original. */
  failed: StoreUnavailable | null;
  /** The writes of this request so far, each done or unknown. */
  deeds: Deeds;
  /** What the request has cost so far. */
  meter: Meter;
};

/**
 * Wraps the bindings of one request. An operation that throws, or takes longer than `STORE_TIMEOUT_MILLISECONDS`, rejects with
 * `StoreUnavailable`. A D1 constraint violation is an answer and not a failure: it passes unchanged. D1 reads, and writes that `WRITES`
 * allows, are sent once more after a transient error or after a second without an answer.
 */
export function guardStores(kv: KVNamespace, db: D1Database): Stores {
  const meter = createMeter();
  const deeds: Deeds = new Map();

  async function attempt<T>(
    { store, operation, queries = 1, again = false, onAgain }: Operation,
    work: () => Promise<T>,
  ): Promise<T> {
    const counted = store === 'D1' ? 'query' : operation;
    const finish = meter.start(counted, queries);
    try {
      return await inTime(
        work,
        again
          ? (error) => {
              meter.countAgain(counted, queries);
              logStore('store-asked-again', { store, operation, message: messageOf(error) });
              onAgain?.();
            }
          : undefined,
      );
    } catch (error) {
      if (store === 'D1' && isConstraintViolation(error)) throw error;
      stores.failed = new StoreUnavailable(store, operation, error);
      logStore('store-unavailable', { store, operation, message: stores.failed.message });
      throw stores.failed;
    } finally {
      finish();
    }
  }

  const stores: Stores = {
    kv: guardKV(kv, attempt),
    db: guardD1(db, attempt, deeds),
    dbOnce: guardD1(db, (operation, work) => attempt({ ...operation, again: false }, work), deeds),
    failed: null,
    deeds,
    meter,
  };
  return stores;
}

type Operation = {
  store: StoreName;
  operation: string;
  queries?: number;
  /** Whether the operation may be sent once more. If it is, `onAgain` is called. */
  again?: boolean;
  onAgain?: () => void;
};

type Attempt = <T>(operation: Operation, work: () => Promise<T>) => Promise<T>;

/** D1 reports every constraint violation with these words, whichever kind it is. */
function isConstraintViolation(error: unknown): boolean {
  return error instanceof Error && error.message.includes('constraint failed');
}

/** Whether SQLite itself refused a batch. A batch is a transaction, so nothing of it happened. */
function saysNo(error: unknown): boolean {
  const cause = error instanceof StoreUnavailable ? error.cause : error;
  return isConstraintViolation(cause) || messageOf(cause).includes('SQLITE_ERROR');
}

const KV_METHODS = ['get', 'getWithMetadata', 'put', 'delete', 'list'];

function guardKV(kv: KVNamespace, attempt: Attempt): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      const call = (...args: unknown[]): unknown => Reflect.apply(method, target, args);
      if (typeof name !== 'string' || !KV_METHODS.includes(name)) return call;
      return (...args: unknown[]) => attempt({ store: 'KV', operation: name }, async () => call(...args));
    },
  });
}

function guardD1(db: D1Database, attempt: Attempt, deeds: Deeds): D1Database {
  async function batch(statements: D1PreparedStatement[]): Promise<D1Result[]> {
    const guarded = statements.map((one) => (one instanceof GuardedStatement ? one : null));
    const send = () => db.batch(statements.map((one, i) => guarded[i]?.own ?? one));
    const operation = { store: 'D1', operation: 'batch', queries: statements.length } as const;
    const name = nameOf(statements);
    if (name) return noting(deeds, name, (onAgain) => attempt({ ...operation, ...onAgain }, send));
    return attempt({ ...operation, again: guarded.every((one) => one?.isRead) }, send);
  }

  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => new GuardedStatement(target.prepare(sql), sql, attempt);
      if (name === 'batch') return batch;
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Sends a named batch and records its outcome in `deeds`: `unknown` until it answers, then what it answered. */
async function noting(
  deeds: Deeds,
  name: WriteName,
  send: (options: Pick<Operation, 'again' | 'onAgain'>) => Promise<D1Result[]>,
): Promise<D1Result[]> {
  let times = 1;
  deeds.set(name, 'unknown');
  let results: D1Result[];
  try {
    results = await send({ again: WRITES[name].again, onAgain: () => void (times += 1) });
  } catch (error) {
    if (times === 1 && saysNo(error)) deeds.delete(name);
    throw error;
  }
  if (tookEffect(name, results)) deeds.set(name, 'done');
  // If the batch was sent twice, the answer may come from the second one, which found the first one's changes in place.
  else if (times === 1) deeds.delete(name);
  return results;
}

/** A statement whose queries go through the guard. */
class GuardedStatement implements D1PreparedStatement {
  constructor(
    /** D1's own: `batch` accepts no other. */
    readonly own: D1PreparedStatement,
    private readonly sql: string,
    private readonly attempt: Attempt,
  ) {}

  get isRead(): boolean {
    return isRead(this.sql);
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new GuardedStatement(this.own.bind(...values), this.sql, this.attempt);
  }

  first<T>(column?: string): Promise<T | null> {
    return this.guarded('first', () =>
      column === undefined ? this.own.first<T>() : this.own.first<T>(column),
    );
  }

  run<T>(): Promise<D1Result<T>> {
    return this.guarded('run', () => this.own.run<T>());
  }

  all<T>(): Promise<D1Result<T>> {
    return this.guarded('all', () => this.own.all<T>());
  }

  raw<T>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T>(options?: { columnNames?: false }): Promise<T[]>;
  raw(options?: object): Promise<unknown[]> {
    return this.guarded('raw', () => this.own.raw(options));
  }

  private guarded<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.attempt({ store: 'D1', operation, again: this.isRead }, async () => work());
  }
}

/**
 * Limits a listing of one prefix to about this many keys, so that a user with many records cannot make a page expensive. Use it for one
 * listing. An empty page that is not the last one does not count. `isCut`: whether KV had more.
 */
export function listingAtMost(kv: SessionKV, keys: number): SessionKV & { readonly isCut: boolean } {
  let listed = 0;
  let isCut = false;
  return {
    get isCut() {
      return isCut;
    },
    get: (key) => kv.get(key),
    put: (key, value, options) => kv.put(key, value, options),
    delete: (key) => kv.delete(key),
    async list(options) {
      const page = await kv.list(options);
      listed += page.keys.length;
      isCut = listed >= keys && !page.list_complete;
      return isCut ? { keys: page.keys, list_complete: true } : page;
    },
  };
}
