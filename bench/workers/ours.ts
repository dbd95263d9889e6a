/** The app's own modules, as a page's load or action calls them, without the page. */
import { isRedirect } from '@sveltejs/kit';
import { LuciaError, type Session } from 'lucia';
import { createAuth, type Auth } from '../../src/lib/server/sessions/lucia';
import { newSession } from '../../src/lib/server/sessions/sessions';
import { cloudflareKvBinding } from '../../src/lib/server/kv-adapter';
import { serve, type BenchEnv, type Seeded } from './contender';

const PASSWORD = 'correct horse battery staple';
const MORE_SESSIONS = {
  '/list-100': 99,
  '/list-1000': 999,
  '/require-and-list-1000': 999,
  '/end-999-others': 999,
};
/** Users whose others are ended, one for each time that it is measured. */
const ENDED_TIMES = 6;

const DEVICE_SECRET = 'bench bench bench';
/** Of documentation (RFC 5737): a loopback address is not throttled. */
const ADDRESS = '192.0.2.1';

/** A request event as Kit makes it, as far as the auth module looks. `set` keeps what goes out. */
function eventOf(request: Request, env: BenchEnv, ctx?: ExecutionContext, address = '127.0.0.1') {
  const url = new URL(request.url);
  const sent = new Map<string, string>();
  const cookies = {
    get: (name: string) => sent.get(name) ?? readCookie(request.headers.get('cookie') ?? '', name),
    set: (name: string, value: string) => void sent.set(name, value),
  };
  const event = {
    request,
    url,
    cookies,
    platform: { ctx },
    getClientAddress: () => address,
    locals: {} as { auth: Auth },
    sent,
  };
  event.locals.auth = createAuth({
    kv: env.SESSIONS,
    db: env.DB,
    layout: 'owner',
    event,
    deviceSecret: DEVICE_SECRET,
  });
  return event;
}

function readCookie(header: string, name: string): string | undefined {
  for (const pair of header.split('; ')) {
    if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1);
  }
  return undefined;
}

const headerOf = (sent: Map<string, string>) =>
  [...sent].map(([name, value]) => `${name}=${value}`).join('; ');

async function seedUser(request: Request, env: BenchEnv, username: string, more = 0): Promise<string> {
  const event = eventOf(request, env);
  const outcome = await signUp(event, username, PASSWORD);
  if (outcome !== 'signed-in') throw new Error(`seeding ${username}: ${JSON.stringify(outcome)}`);
  const { auth } = event.locals;
  const signedIn = await auth.memory.confirmed;
  if (!signedIn) throw new Error(`seeding ${username}: no session`);
  const { user, created_at, proved_at, epoch, device, place } = signedIn;
  const attributes = { username, created_at, proved_at, epoch, device, place };
  await Promise.all(
    Array.from({ length: more }, () => {
      const { sessionId } = newSession(user.userId);
      return auth.lucia.createSession({ userId: user.userId, sessionId, attributes });
    }),
  );
  return headerOf(event.sent);
}

/** Makes the session of this cookie due for renewal. */
async function age(request: Request, env: BenchEnv, cookie: string): Promise<void> {
  const event = eventOf(new Request(request.url, { headers: { cookie } }), env);
  const adapter = cloudflareKvBinding(env.SESSIONS, undefined, { layout: 'owner' })(LuciaError);
  const session = await adapter.getSession(event.locals.auth.presented?.sessionId ?? '');
  if (session) await adapter.setSession({ ...session, active_expires: Date.now() - 1 });
}

export default serve({
  async seed(request, env) {
    const cookies = await seedUser(request, env, 'alice');
    const again = eventOf(request, env);
    await signIn(again, 'alice', PASSWORD);
    const due = headerOf(again.sent);
    await age(request, env, due);
    const seeded: Seeded = {
      '/peek': [cookies],
      '/require': [cookies],
      '/renew': [due],
      // From a browser that signed in before, and is signed out.
      '/sign-in': cookies.split('; ').filter((cookie) => cookie.startsWith('device=')),
    };
    for (const [path, more] of Object.entries(MORE_SESSIONS)) {
      const cookies: string[] = [];
      for (let n = 0; n < (path === '/end-999-others' ? ENDED_TIMES : 1); n += 1) {
        cookies.push(await seedUser(request, env, `${path.slice(1)}-${n}`, more));
      }
      seeded[path] = cookies;
    }
    return seeded;
  },
  subjects: {
    '/peek': async (request, env, ctx) => {
      const session = await peekSession(eventOf(request, env, ctx));
      return Response.json({ username: session?.user.username });
    },
    '/require': async (request, env, ctx) => {
      const session = await requireSession(eventOf(request, env, ctx));
      return Response.json({ username: session.user.username });
    },
    '/renew': async (request, env, ctx) => {
      const session = await peekSession(eventOf(request, env, ctx));
      return Response.json({ username: session?.user.username, fresh: session?.fresh });
    },
    '/list-100': list,
    '/list-1000': list,
    '/require-and-list-1000': requireAndList,
    '/sign-in': async (request, env, ctx) => {
      const event = eventOf(request, env, ctx, ADDRESS);
      const outcome = await signIn(event, 'alice', PASSWORD);
      return Response.json({ username: outcome === 'signed-in' && 'alice' });
    },
    '/end-999-others': async (request, env, ctx) => {
      const event = eventOf(request, env, ctx);
      try {
        const ended = await revokeOtherSessions(event, await requireSession(event));
        return Response.json({ ended });
      } catch (thrown) {
        if (isRedirect(thrown)) return Response.json({ ended: null }, { status: 401 });
        throw thrown;
      }
    },
  },
});

/** The sessions that a listing is for, confirmed by an earlier request: what is timed is the listing alone. */
const confirmed = new Map<string, Session>();

async function list(request: Request, env: BenchEnv, ctx: ExecutionContext): Promise<Response> {
  const event = eventOf(request, env, ctx);
  const cookie = request.headers.get('cookie') ?? '';
  const current = confirmed.get(cookie) ?? (await requireSession(event));
  confirmed.set(cookie, current);
  event.locals.auth.memory.users.set(current.user.userId, {
    id: current.user.userId,
    username: current.user.username,
  });
  return Response.json({ length: (await listSessions(event.locals.auth, current)).length });
}

async function requireAndList(request: Request, env: BenchEnv, ctx: ExecutionContext): Promise<Response> {
  const event = eventOf(request, env, ctx);
  const current = await requireSession(event);
  return Response.json({ length: (await listSessions(event.locals.auth, current)).length });
}
