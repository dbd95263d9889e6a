/**
 * better-auth, one instance for an isolate, as its documentation has it for Workers. Three of its documented settings:
 * sessions in KV as secondary storage; all in D1, with joins; and the signed cookie cache, which asks no store.
 */
import { betterAuth, type BetterAuthOptions } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { cookieFrom, serve, type BenchEnv, type Subject } from './contender';

const PASSWORD = 'correct horse battery staple';
const CREDENTIALS = { email: 'alice@example.com', password: PASSWORD };
const CACHE_SECONDS = 5 * 60;
const KV_MIN_TTL_SECONDS = 60;

const common = {
  secret: 'bench-bench-bench-bench-bench-bench-bench-bench',
  baseURL: 'http://127.0.0.1',
  emailAndPassword: { enabled: true },
  advanced: { database: { joins: true }, ipAddress: { ipAddressHeaders: ['cf-connecting-ip'] } },
  telemetry: { enabled: false },
  logger: { level: 'error' },
} satisfies BetterAuthOptions;

const variants = {
  kv: ({ SESSIONS }: BenchEnv) => ({
    secondaryStorage: {
      get: (key: string) => SESSIONS.get(key),
      set: (key: string, value: string, ttl?: number) =>
        SESSIONS.put(key, value, ttl ? { expirationTtl: Math.max(ttl, KV_MIN_TTL_SECONDS) } : {}),
      delete: (key: string) => SESSIONS.delete(key),
    },
  }),
  d1: () => ({}),
  cache: () => ({ session: { cookieCache: { enabled: true, maxAge: CACHE_SECONDS } } }),
};
type Variant = keyof typeof variants;

function create(variant: Variant, env: BenchEnv) {
  return betterAuth({ ...common, database: env.DB, ...variants[variant](env) });
}

/** The instance of the isolate; the request that is counted has bindings, and so an instance, of its own. */
const instances = new WeakMap<D1Database, Map<Variant, ReturnType<typeof create>>>();

function instanceOf(variant: Variant, env: BenchEnv) {
  const own = instances.get(env.DB) ?? new Map<Variant, ReturnType<typeof create>>();
  instances.set(env.DB, own);
  const instance = own.get(variant) ?? create(variant, env);
  own.set(variant, instance);
  return instance;
}

const getSession =
  (variant: Variant): Subject =>
  async ({ headers }, env) => {
    const session = await instanceOf(variant, env).api.getSession({ headers });
    return Response.json({ username: session?.user.name });
  };

const signIn =
  (variant: Variant): Subject =>
  async (_, env) => {
    const { user } = await instanceOf(variant, env).api.signInEmail({ body: CREDENTIALS });
    return Response.json({ username: user.name });
  };

export default serve({
  async seed(_, env) {
    const { runMigrations } = await getMigrations({ ...common, database: env.DB });
    await runMigrations();
    await instanceOf('d1', env).api.signUpEmail({ body: { ...CREDENTIALS, name: 'alice' } });
    const cookies = Object.keys(variants).map(async (name) => {
      const { headers } = await instanceOf(name as Variant, env).api.signInEmail({
        body: CREDENTIALS,
        returnHeaders: true,
      });
      return [`/${name}`, cookieFrom(headers)];
    });
    return Object.fromEntries(await Promise.all(cookies));
  },
  subjects: {
    '/kv': getSession('kv'),
    '/d1': getSession('d1'),
    '/cache': getSession('cache'),
    '/sign-in-kv': signIn('kv'),
    '/sign-in-d1': signIn('d1'),
  },
});
