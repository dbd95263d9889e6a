import { STORE_TIMEOUT_MILLISECONDS, STORE_TIMEOUT_PARTS } from '../policy';
import type { SessionKV } from '../kv-adapter';
import { createMeter, type Meter } from './meter';

export type StoreName = 'KV' | 'D1';

/** A store threw, or did not answer in time. */
export class StoreUnavailable extends Error {
  constructor(
    readonly store: StoreName,
    readonly operation: string,
    cause: unknown,
  ) {
    super(
      `[stores] ${store} ${operation} failed: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
    this.name = 'StoreUnavailable';
  }
}

/** Nothing was heard for so long. */
export class TimeLimitPassed extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
    this.name = 'TimeLimitPassed';
  }
}

/** The two stores of one request, behind a guard that notices when one of them is down. */
export type Stores = {
  kv: KVNamespace;
  db: D1Database;
  /** The last failure of this request. Prisma wraps the errors that pass through it; this keeps the original. */
  failed: StoreUnavailable | null;
  /** What the request has cost so far. */
  meter: Meter;
};

/**
 * Wraps the bindings of one request: an operation that throws or takes longer than `STORE_TIMEOUT_MILLISECONDS`
 * rejects with `StoreUnavailable`. A D1 constraint violation is an answer, not a failure, and passes unchanged.
 */
export function guardStores(kv: KVNamespace, db: D1Database): Stores {
  const meter = createMeter();
  const stores: Stores = { kv: guardKV(kv, attempt), db: guardD1(db, attempt), failed: null, meter };

  async function attempt<T>(
    store: StoreName,
    operation: string,
    work: () => Promise<T>,
    queries = 1,
  ): Promise<T> {
    const finish = meter.start(store === 'D1' ? 'query' : operation, queries);
    const limit = timeLimit(STORE_TIMEOUT_MILLISECONDS);
    try {
      return await Promise.race([work(), limit.passed]);
    } catch (error) {
      if (store === 'D1' && isConstraintViolation(error)) throw error;
      stores.failed = new StoreUnavailable(store, operation, error);
      throw stores.failed;
    } finally {
      limit.cancel();
      finish();
    }
  }

  return stores;
}

/**
 * Rejects after so many milliseconds, and later on a busy thread. One password hash keeps a worker's thread from
 * all its requests, and a queue of them makes a single timer ring before an answer that has long been there is read.
 * With a timer for each part, the answer has a turn between every two.
 */
export function timeLimit(milliseconds: number): { passed: Promise<never>; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout>;
  const passed = new Promise<never>((_, reject) => {
    const wait = (parts: number): void => {
      timer = setTimeout(() => {
        if (parts > 1) wait(parts - 1);
        else reject(new TimeLimitPassed(milliseconds));
      }, milliseconds / STORE_TIMEOUT_PARTS);
    };
    wait(STORE_TIMEOUT_PARTS);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}

type Attempt = <T>(
  store: StoreName,
  operation: string,
  work: () => Promise<T>,
  queries?: number,
) => Promise<T>;

/** D1 reports every broken constraint with these words, whichever kind it is. */
function isConstraintViolation(error: unknown): boolean {
  return error instanceof Error && error.message.includes('constraint failed');
}

const KV_METHODS = ['get', 'getWithMetadata', 'put', 'delete', 'list'];

function guardKV(kv: KVNamespace, attempt: Attempt): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      const call = (...args: unknown[]): unknown => Reflect.apply(method, target, args);
      if (typeof name !== 'string' || !KV_METHODS.includes(name)) return call;
      return (...args: unknown[]) => attempt('KV', name, async () => call(...args));
    },
  });
}

/** The statement behind each guarded one: `batch` takes only D1's own. */
const unguarded = new WeakMap<object, D1PreparedStatement>();

function guardD1(db: D1Database, attempt: Attempt): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => guardStatement(target.prepare(sql), attempt);
      if (name === 'batch') {
        return (statements: D1PreparedStatement[]) =>
          attempt(
            'D1',
            'batch',
            () => target.batch(statements.map((statement) => unguarded.get(statement) ?? statement)),
            statements.length,
          );
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const STATEMENT_METHODS = ['first', 'all', 'run', 'raw'];

function guardStatement(statement: D1PreparedStatement, attempt: Attempt): D1PreparedStatement {
  const guarded = new Proxy(statement, {
    get(target, name) {
      if (name === 'bind') return (...values: unknown[]) => guardStatement(target.bind(...values), attempt);
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      const call = (...args: unknown[]): unknown => Reflect.apply(method, target, args);
      if (typeof name !== 'string' || !STATEMENT_METHODS.includes(name)) return call;
      return (...args: unknown[]) => attempt('D1', name, async () => call(...args));
    },
  });
  unguarded.set(guarded, statement);
  return guarded;
}

/**
 * A KV whose listing of a prefix ends after so many keys: how many records somebody has made does not decide what a page costs. For one
 * listing. An empty page that is not the last one does not count.
 */
export function listingAtMost(kv: KVNamespace, keys: number): SessionKV {
  let listed = 0;
  return {
    get: (key) => (typeof key === 'string' ? kv.get(key) : kv.get(key)),
    put: (key, value, options) => kv.put(key, value, options),
    delete: (key) => kv.delete(key),
    async list(options) {
      const page = await kv.list(options);
      listed += page.keys.length;
      return listed < keys ? page : { keys: page.keys, list_complete: true };
    },
  };
}
