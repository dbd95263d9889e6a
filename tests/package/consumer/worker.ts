/** A Worker whose only session code is the package. It signs up, signs in, says who is signed in, lists sessions, and signs out. */
import { LuciaError, lucia, type KeySchema, type UserAdapter, type UserSchema } from 'lucia';
import { web } from 'lucia/middleware';
import { generateRandomString } from 'lucia/utils';
import { cloudflareKvBinding, sessionOwner, type SessionLayout } from 'pages-sessions-kv-adapter';

type Env = { SESSIONS: KVNamespace; LAYOUT: SessionLayout };

const users = new Map<string, UserSchema>();
const keys = new Map<string, KeySchema>();

/** Users and keys in memory, with only what signing up and in needs. */
const memoryUsers: UserAdapter = {
  getUser: async (userId) => users.get(userId) ?? null,
  setUser: async (user, key) => {
    users.set(user.id, user);
    if (key) keys.set(key.id, key);
  },
  getKey: async (keyId) => keys.get(keyId) ?? null,
  getKeysByUserId: async (userId) => [...keys.values()].filter((key) => key.user_id === userId),
  updateUser: unused,
  deleteUser: unused,
  setKey: unused,
  updateKey: unused,
  deleteKey: unused,
  deleteKeysByUserId: unused,
};

function unused(): Promise<never> {
  return Promise.reject(new Error('not part of signing up and in'));
}

export type Auth = ReturnType<typeof createLucia>;

function createLucia({ SESSIONS, LAYOUT }: Env) {
  const sessions = cloudflareKvBinding(SESSIONS, undefined, { layout: LAYOUT });
  return lucia({
    adapter: (Errors) => ({ ...memoryUsers, ...sessions(Errors) }),
    env: 'DEV',
    middleware: web(),
    csrfProtection: false,
    getUserAttributes: ({ username }) => ({ username }),
    getSessionAttributes: ({ device }) => ({ device }),
  });
}

/** Signs a user in. In the `owner` layout, the session id must begin with the user's id. */
async function signIn(auth: Auth, layout: SessionLayout, userId: string): Promise<Response> {
  const ownId = layout === 'owner' ? { sessionId: `${userId}.${generateRandomString(40)}` } : {};
  const session = await auth.createSession({ userId, ...ownId, attributes: { device: 'a test' } });
  const cookie = auth.createSessionCookie(session).serialize();
  return new Response(null, { status: 204, headers: { 'set-cookie': cookie } });
}

async function answer(request: Request, env: Env): Promise<Response> {
  const auth = createLucia(env);
  const { pathname, searchParams } = new URL(request.url);
  const name = searchParams.get('name') ?? '';
  const password = searchParams.get('password') ?? '';
  const provider = { providerId: 'username', providerUserId: name };

  if (pathname === '/signup') {
    const user = await auth.createUser({ key: { ...provider, password }, attributes: { username: name } });
    return signIn(auth, env.LAYOUT, user.userId);
  }
  if (pathname === '/login') {
    const key = await auth.useKey('username', name, password);
    return signIn(auth, env.LAYOUT, key.userId);
  }
  const session = await auth.handleRequest(request).validate();
  if (!session) return new Response('nobody', { status: 401 });
  if (pathname === '/logout') {
    await auth.invalidateSession(session.sessionId);
    return new Response(null, { status: 204 });
  }
  const all = await auth.getAllUserSessions(session.user.userId);
  return Response.json({
    username: session.user.username,
    device: session.device,
    sessions: all.length,
    ownerInId: sessionOwner(session.sessionId) === session.user.userId,
  });
}

export default {
  async fetch(request, env) {
    try {
      return await answer(request, env);
    } catch (error) {
      if (error instanceof LuciaError) return new Response(error.message, { status: 400 });
      throw error;
    }
  },
} satisfies ExportedHandler<Env>;
