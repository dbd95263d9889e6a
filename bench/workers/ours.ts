/** The app's own modules, as a page's load or action calls them, without the page. */
import { LuciaError, type SessionSchema } from 'lucia';
import { createAuth } from '../../src/lib/server/auth';
import { cloudflareKvBinding } from '../../src/lib/server/kv-adapter';
import { SessionEnded, type ConfirmedSession } from '../../src/lib/server/sessions/confirmed';
import { requestFacts } from '../../src/lib/server/sessions/request-facts';
import { newSession } from '../../src/lib/server/sessions/rotation';
import { guardStores } from '../../src/lib/server/stores/guarded';
import { serve, type BenchEnv, type Seeded } from './contender';

const PASSWORD = 'correct horse battery staple';
const MORE_SESSIONS = { '/list-100': 99, '/list-1000': 999, '/require-and-list-1000': 999 };

const COOKIE_SECRETS = { current: 'bench bench bench' };
/** Of documentation (RFC 5737): a loopback address is not throttled. */
const ADDRESS = '192.0.2.1';

/** A request event as Kit makes it, as far as the auth module looks. `set` keeps what goes out. */
function eventOf(request: Request, env: BenchEnv, ctx?: ExecutionContext, address = '127.0.0.1') {
  const url = new URL(request.url);
  const came = new Map(readCookies(request.headers.get('cookie') ?? ''));
  const sent = new Map<string, string>();
  const cookies = {
    get: (name: string) => sent.get(name) ?? came.get(name),
    set: (name: string, value: string) => void sent.set(name, value),
  };
  const stores = guardStores(env.SESSIONS, env.DB);
  const facts = requestFacts({ request, url, cookies, platform: { ctx }, getClientAddress: () => address });
  const auth = createAuth({ stores, facts, layout: 'owner', cookieSecrets: COOKIE_SECRETS });
  return { auth, facts, sent };
}

/** Once a request, as Kit does. */
function readCookies(header: string): [name: string, value: string][] {
  return header.split('; ').map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
}

const headerOf = (sent: Map<string, string>) =>
  [...sent].map(([name, value]) => `${name}=${value}`).join('; ');

async function seedUser(request: Request, env: BenchEnv, username: string, more = 0): Promise<string> {
  const { auth, sent } = eventOf(request, env);
  const outcome = await auth.accounts.signUp(username, PASSWORD);
  if (outcome !== 'signed-in') throw new Error(`seeding ${username}: ${outcome}`);
  const cookie = headerOf(sent);
  const adapter = adapterOf(env);
  const record = await recordOf(request, env, cookie);
  if (!record) throw new Error(`seeding ${username}: no session`);
  await Promise.all(
    Array.from({ length: more }, () =>
      adapter.setSession({ ...record, id: newSession(record.user_id).sessionId }),
    ),
  );
  return cookie;
}

const adapterOf = (env: BenchEnv) =>
  cloudflareKvBinding(env.SESSIONS, undefined, { layout: 'owner' })(LuciaError);

function recordOf(request: Request, env: BenchEnv, cookie: string): Promise<SessionSchema | null> {
  const { facts } = eventOf(new Request(request.url, { headers: { cookie } }), env);
  return adapterOf(env).getSession(facts.presented?.sessionId ?? '');
}

/** Signs alice in once more, with a session that is due for renewal. */
async function seedDue(request: Request, env: BenchEnv): Promise<string> {
  const { auth, sent } = eventOf(request, env);
  await auth.accounts.signIn('alice', PASSWORD);
  const cookie = headerOf(sent);
  const session = await recordOf(request, env, cookie);
  if (session) await adapterOf(env).setSession({ ...session, active_expires: Date.now() - 1 });
  return cookie;
}

export default serve({
  async seed(request, env) {
    const cookies = await seedUser(request, env, 'alice');
    // A confirmation of now would be old before it is used: where one is needed, an answer brings it.
    const kept = cookies.split('; ').filter((cookie) => !cookie.startsWith('confirmation='));
    const session = kept.join('; ');
    const seeded: Seeded = {
      '/peek-fresh': session,
      '/peek': session,
      '/require': session,
      '/look': session,
    };
    // From a browser that signed in before, and is signed out.
    seeded['/sign-in'] = kept.find((cookie) => cookie.startsWith('device=')) ?? '';
    for (const [path, more] of Object.entries(MORE_SESSIONS)) {
      seeded[path] = await seedUser(request, env, path.slice(1), more);
    }
    return seeded;
  },
  subjects: {
    '/peek-fresh': peek,
    '/peek': peek,
    '/require': async (request, env, ctx) => {
      const session = await eventOf(request, env, ctx).auth.current.require();
      return Response.json({ username: session.user.username });
    },
    '/renew/seed': async (request, env) => new Response(await seedDue(request, env)),
    '/renew': async (request, env, ctx) => {
      const session = await eventOf(request, env, ctx).auth.current.require();
      return Response.json({ username: session.user.username, fresh: session.fresh });
    },
    '/look': async (request, env, ctx) => {
      const look = await eventOf(request, env, ctx).auth.current.look();
      return Response.json({ username: look.is === 'signed-in' && look.session.user.username });
    },
    '/list-100': list,
    '/list-1000': list,
    '/require-and-list-1000': requireAndList,
    '/sign-in': async (request, env, ctx) => {
      const outcome = await eventOf(request, env, ctx, ADDRESS).auth.accounts.signIn('alice', PASSWORD);
      return Response.json({ username: outcome === 'signed-in' && 'alice' });
    },
    '/end-999-others/seed': async (request, env) =>
      new Response(await seedUser(request, env, `ended-${crypto.randomUUID().slice(0, 8)}`, 999)),
    '/end-999-others': async (request, env, ctx) => {
      const { current, accounts } = eventOf(request, env, ctx).auth;
      try {
        const proof = accounts.freshProof(await current.require());
        return Response.json({ ended: proof && (await accounts.endOthers(proof)) });
      } catch (thrown) {
        if (thrown instanceof SessionEnded) return Response.json({ ended: null }, { status: 401 });
        throw thrown;
      }
    },
  },
});

/** What a page view asks, with the cookies of its answer. */
async function peek(request: Request, env: BenchEnv, ctx: ExecutionContext): Promise<Response> {
  const { auth, sent } = eventOf(request, env, ctx);
  const viewer = await auth.peek();
  const response = Response.json({ username: viewer && viewer !== 'unknown' && viewer.username });
  for (const [name, value] of sent) response.headers.append('set-cookie', `${name}=${value}`);
  return response;
}

/** The sessions that a listing is for, confirmed by an earlier request: what is timed is the listing alone. */
const confirmed = new Map<string, ConfirmedSession>();

async function list(request: Request, env: BenchEnv, ctx: ExecutionContext): Promise<Response> {
  const { current, sessions } = eventOf(request, env, ctx).auth;
  const cookie = request.headers.get('cookie') ?? '';
  const session = confirmed.get(cookie) ?? (await current.require());
  confirmed.set(cookie, session);
  return Response.json({ length: (await sessions.list(session)).sessions.length });
}

async function requireAndList(request: Request, env: BenchEnv, ctx: ExecutionContext): Promise<Response> {
  const { current, sessions } = eventOf(request, env, ctx).auth;
  const session = await current.require();
  return Response.json({ length: (await sessions.list(session)).sessions.length });
}
