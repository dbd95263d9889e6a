/**
 * What all workers of the bench have in common: a path per subject, `/seed` that fills the stores, and a count of
 * store operations for the one request that asks for it with the header `x-count` (timed requests are not counted).
 */

/** `LISTS`: for the floors of long lists alone, because Miniflare's `list` looks at every key of its namespace. */
export type BenchEnv = { SESSIONS: KVNamespace; LISTS: KVNamespace; DB: D1Database };

export type Subject = (request: Request, env: BenchEnv, ctx: ExecutionContext) => Promise<Response>;

/** The cookies of the sessions that a subject's requests carry, by path: made by `seed`. */
export type Seeded = Record<string, string>;

type Contender = {
  seed(request: Request, env: BenchEnv): Promise<Seeded>;
  subjects: Record<string, Subject>;
};

export function serve({ seed, subjects }: Contender): ExportedHandler<BenchEnv> {
  return {
    async fetch(request, env, ctx) {
      const path = request.url.slice(request.url.indexOf('/', 8));
      const subject = subjects[path];
      if (subject && request.headers.has('x-count')) return counted(subject, request, env, ctx);
      if (subject) return subject(request, env, ctx);
      if (path === '/seed') return Response.json(await seed(request, env));
      return new Response('Not found', { status: 404 });
    },
  };
}

/** The cookie that a `Set-Cookie` header sets, as a browser sends it back. */
export function cookieFrom(headers: Headers): string {
  return headers
    .getSetCookie()
    .map((line) => line.split(';', 1)[0])
    .join('; ');
}

/** Bindings that count; kept, as a contender may keep what it made of them. */
let counting: { env: BenchEnv; counts: Record<string, number>; deletesAtOnce: number } | undefined;

function countingFor(env: BenchEnv): NonNullable<typeof counting> {
  if (counting) return counting;
  const state = { env, counts: {} as Record<string, number>, deletesAtOnce: 0 };
  const count = (name: string) => (state.counts[name] = (state.counts[name] ?? 0) + 1);
  let deletes = 0;
  const deleting = (change: 1 | -1) => {
    deletes += change;
    state.deletesAtOnce = Math.max(state.deletesAtOnce, deletes);
  };
  state.env = {
    SESSIONS: countKV(env.SESSIONS, count, deleting),
    LISTS: countKV(env.LISTS, count, deleting),
    DB: countD1(env.DB, count),
  };
  return (counting = state);
}

/** Answers with what was asked of the stores before the answer, and after it in `waitUntil`. */
async function counted(subject: Subject, request: Request, env: BenchEnv, ctx: ExecutionContext) {
  const state = countingFor(env);
  state.counts = {};
  state.deletesAtOnce = 0;
  const background: Promise<unknown>[] = [];
  const waiting = new Proxy(ctx, {
    get: (target, name) =>
      name === 'waitUntil'
        ? (promise: Promise<unknown>) => void background.push(promise)
        : Reflect.get(target, name),
  });
  const response = await subject(request, state.env, waiting);
  const answer = await response.text();
  const before = { ...state.counts };
  await Promise.allSettled(background);
  const { counts: all, deletesAtOnce } = state;
  return Response.json({ answer, before, all, deletesAtOnce }, { status: response.status });
}

type Count = (name: string) => void;

function countKV(kv: KVNamespace, count: Count, deleting: (change: 1 | -1) => void): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return (...args: unknown[]) => {
        count(`KV ${String(name)}`);
        const result: Promise<unknown> = Reflect.apply(method, target, args);
        if (name !== 'delete') return result;
        deleting(1);
        return result.finally(() => deleting(-1));
      };
    },
  });
}

/** Round trips to D1: a batch is one. */
function countD1(db: D1Database, count: Count): D1Database {
  const real = new WeakMap<object, D1PreparedStatement>();
  const statement = (inner: D1PreparedStatement): D1PreparedStatement => {
    const proxy = new Proxy(inner, {
      get(target, name) {
        if (name === 'bind') return (...values: unknown[]) => statement(target.bind(...values));
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => {
          count('D1');
          return Reflect.apply(method, target, args);
        };
      },
    });
    real.set(proxy, inner);
    return proxy;
  };
  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') return (sql: string) => statement(target.prepare(sql));
      if (name === 'batch') {
        return (statements: D1PreparedStatement[]) => {
          count('D1');
          return target.batch(statements.map((one) => real.get(one) ?? one));
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
