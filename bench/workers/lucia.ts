/** Lucia v2 with adapters that its own documentation offers for these stores, each set up per request, the plain way. */
import { prisma } from '@lucia-auth/adapter-prisma';
import { unstorage } from '@lucia-auth/adapter-session-unstorage';
import { d1 } from '@lucia-auth/adapter-sqlite';
import { PrismaD1 } from '@prisma/adapter-d1';
import { lucia, type Adapter, type InitializeAdapter, type SessionAdapter, type UserAdapter } from 'lucia';
import { web } from 'lucia/middleware';
import { createStorage } from 'unstorage';
import cloudflareKV from 'unstorage/drivers/cloudflare-kv-binding';
import { PrismaClient } from '../.build/prisma-client/edge';
import { serve, type BenchEnv, type Subject } from './contender';

type AnyAdapter =
  | InitializeAdapter<Adapter>
  | { user: InitializeAdapter<UserAdapter>; session: InitializeAdapter<SessionAdapter> };

const TABLES = { user: 'User', key: 'Key', session: 'Session' };

type MakeAdapter = (env: BenchEnv) => AnyAdapter;

const adapters = {
  '/prisma': ({ DB }: BenchEnv) => prisma(new PrismaClient({ adapter: new PrismaD1(DB) })),
  '/d1': ({ DB }: BenchEnv) => d1(DB, TABLES),
  '/unstorage': ({ DB, SESSIONS }: BenchEnv) => ({
    user: d1(DB, { ...TABLES, session: null }),
    session: unstorage(createStorage({ driver: cloudflareKV({ binding: SESSIONS }) })),
  }),
};

function create(adapter: AnyAdapter) {
  return lucia({
    adapter,
    env: 'DEV',
    middleware: web(),
    sessionCookie: { expires: false },
    getUserAttributes: ({ username }) => ({ username }),
  });
}

const validate =
  (adapter: MakeAdapter): Subject =>
  async (request, env) => {
    const auth = create(adapter(env));
    const session = await auth.handleRequest(request).validate();
    return Response.json({ username: session?.user.username });
  };

export default serve({
  async seed(_, env) {
    const user = await create(adapters['/d1'](env)).createUser({
      key: { providerId: 'username', providerUserId: 'alice', password: 'correct horse battery staple' },
      attributes: { username: 'alice' },
    });
    const cookies = Object.entries(adapters).map(async ([path, adapter]) => {
      const auth = create(adapter(env));
      const { sessionId } = await auth.createSession({ userId: user.userId, attributes: {} });
      return [path, [`auth_session=${sessionId}`]];
    });
    return Object.fromEntries(await Promise.all(cookies));
  },
  subjects: Object.fromEntries(Object.entries(adapters).map(([path, adapter]) => [path, validate(adapter)])),
});
