import {
  LuciaError,
  lucia,
  type Adapter,
  type AuthRequest,
  type InitializeAdapter,
  type Session,
  type SessionAdapter,
  type UserAdapter,
} from 'lucia';
import { sveltekit } from 'lucia/middleware';
import type { Cookies } from '@sveltejs/kit';
import { userAdapter, type AlongSignUp } from '../accounts/user-adapter';
import { cloudflareKvBinding, type SessionKV, type SessionLayout } from '../kv-adapter';
import { isLoopback } from './loopback';
import { guardStores, listingAtMost } from '../stores/guarded';
import { createDeviceCookie } from '../throttle/known-browser';
import { createLedger } from './ledger';
import { absoluteEnd } from './lifetime';
import { scryptPasswordHash, type PasswordHash } from '../accounts/password';
import { ACTIVE_PERIOD_MILLISECONDS, IDLE_PERIOD_MILLISECONDS, SESSIONS_LISTED_MAX } from '../policy';
import { createSessionRecords, type SessionRecords } from './records';
import { createThrottle } from '../throttle/throttle';
import { cookieValueFor, parseCookieValue } from './token';

/** What of a SvelteKit request event the auth module reads. */
export type AuthEvent = { request: Request; url: URL; cookies: Pick<Cookies, 'get' | 'set'> };

export type AuthOptions = {
  kv: KVNamespace;
  db: D1Database;
  layout: SessionLayout;
  event: AuthEvent;
  /** Signs the device cookie and keys the throttle's ids; without it no browser is known as the account's own. */
  deviceSecret?: string;
  passwordHash?: PasswordHash;
  users?: typeof userAdapter;
};

export type Auth = ReturnType<typeof createAuth>;

/**
 * Lucia for one request. Nothing outlives the request: a database client shared between requests fails under
 * concurrency in Workers, and what is remembered here (the session record, the token) is this request's alone.
 */
export function createAuth({
  kv,
  db,
  layout,
  event,
  deviceSecret,
  passwordHash = scryptPasswordHash,
  users: initializeUsers = userAdapter,
}: AuthOptions) {
  const stores = guardStores(kv, db);
  const memory: Memory = { users: new Map(), alongSignUp: { statements: [], results: [] } };
  const users = initializeUsers(stores.db, memory.alongSignUp)(LuciaError);
  const ledger = createLedger(stores.db);
  const cookie = sessionCookieFor(event.url);
  const presented = parseCookieValue(event.cookies.get(cookie.name));
  /** Of the sessions that this request made, by id: what their cookies need. */
  const made: MadeSessions = new Map();

  const adapterOver = (ns: SessionKV) => cloudflareKvBinding(ns, undefined, { layout })(LuciaError);
  const sessions = adapterOver(stores.kv);
  const records = createSessionRecords(sessions, ledger, (userId) =>
    adapterOver(listingAtMost(stores.kv, SESSIONS_LISTED_MAX)).getSessionsByUserId(userId),
  );

  const instance = configureLucia({
    adapter: requestAdapter({ sessions, users, records, memory }),
    cookie,
    middleware: tokenCookies(presented?.sessionId ?? null, made),
    passwordHash,
  });
  let request: AuthRequest<typeof instance> | undefined;

  return {
    lucia: instance,
    /** Lucia's view of this request's cookie, made when it is first asked for: a peek does without. */
    get request() {
      return (request ??= instance.handleRequest(event));
    },
    ledger,
    throttle: createThrottle(stores.db),
    deviceCookie: createDeviceCookie(event.cookies, cookie.secure, deviceSecret),
    deviceSecret,
    stores,
    made,
    memory,
    records,
    users,
    passwordHash,
    /** What the cookie claims, by its form alone. */
    presented,
  };
}

type LuciaParts = {
  adapter: InitializeAdapter<Adapter>;
  cookie: { name: string; secure: boolean };
  middleware: ReturnType<typeof sveltekit>;
  passwordHash: PasswordHash;
};

export type LuciaAuth = ReturnType<typeof configureLucia>;

function configureLucia({ adapter, cookie, middleware, passwordHash }: LuciaParts) {
  return lucia({
    adapter,
    env: cookie.secure ? 'PROD' : 'DEV',
    middleware,
    sessionCookie: { name: cookie.name, attributes: { sameSite: 'lax', path: '/' } },
    sessionExpiresIn: { activePeriod: ACTIVE_PERIOD_MILLISECONDS, idlePeriod: IDLE_PERIOD_MILLISECONDS },
    passwordHash,
    getUserAttributes: ({ username }) => ({ username }),
    getSessionAttributes: ({ created_at, proved_at, epoch, device, place, name }) => ({
      created_at,
      proved_at,
      epoch,
      device,
      place,
      name,
    }),
  });
}

/** `__Host-` needs Secure, and WebKit drops Secure cookies on plain http, localhost or not: there it is `session`. */
function sessionCookieFor(url: URL): { name: string; secure: boolean } {
  const plainLocal = url.protocol === 'http:' && isLoopback(url);
  return plainLocal ? { name: 'session', secure: false } : { name: '__Host-session', secure: true };
}

/** What the cookies of new sessions need: the token, and when the session must end. */
type MadeSessions = Map<string, { token: string; created_at: number }>;

/**
 * Lucia's SvelteKit middleware with the token on the outside and its hash on the inside: the cookie that comes in
 * is turned into a session id, and the session id that Lucia sends out is turned into this request's token.
 * The cookie lives as long as its session can. So a renewal sends none, and no late answer puts an old token over a new one.
 */
function tokenCookies(presentedId: string | null, made: MadeSessions): ReturnType<typeof sveltekit> {
  const middleware = sveltekit();
  return (context) => {
    const inner = middleware(context);
    return {
      ...inner,
      // Never null: Lucia would then read the Cookie header itself and take its value for a session id.
      sessionCookie: presentedId ?? '',
      setCookie(cookie) {
        if (cookie.value === '') return inner.setCookie(cookie);
        const session = made.get(cookie.value);
        if (!session)
          throw new Error('[auth] this request does not know the token of that session: sign in first');
        const end = absoluteEnd(session);
        // A browser whose clock is wrong goes by Max-Age.
        const maxAge = Math.max(Math.floor((end - Date.now()) / 1_000), 0);
        inner.setCookie({
          ...cookie,
          value: cookieValueFor(ownerOf(cookie.value), session.token),
          attributes: { ...cookie.attributes, expires: new Date(end), maxAge },
        });
      },
    };
  };
}

function ownerOf(sessionId: string): string {
  return sessionId.slice(0, sessionId.lastIndexOf('.'));
}

/** What one request has read or written, so that it is neither read nor asked for twice. */
type Memory = {
  users: Map<string, { id: string; username: string }>;
  /** Statements that the batch of a sign-up carries along, and what they gave. */
  alongSignUp: AlongSignUp;
  /** Of the account that this request made. */
  passwordHash?: string;
  /** Whether this request signed its browser out. */
  signedOut?: boolean;
  /** The session that this browser goes on as, if this request gave it another; `null`: it has none any more. */
  adopted?: Session | null;
  /** The answer of `confirmSession`, for all that asks until an action has run: then the ledger is asked again. */
  confirmed?: Promise<Session | null>;
};

type RequestAdapterParts = {
  sessions: SessionAdapter;
  users: UserAdapter;
  records: SessionRecords;
  memory: Memory;
};

/**
 * One combined adapter: Lucia drops `getSessionAndUser` from the `{ user, session }` form, and that method is what
 * lets a session be read in one KV read, with the user's name from the record's own copy.
 */
function requestAdapter({
  sessions: kv,
  users,
  records,
  memory,
}: RequestAdapterParts): InitializeAdapter<Adapter> {
  return (LuciaError) => ({
    ...users,
    ...kv,
    async setUser(user, key) {
      memory.passwordHash = key?.hashed_password ?? undefined;
      await users.setUser(user, key);
    },
    getUser: async (userId) => memory.users.get(userId) ?? users.getUser(userId),
    getSession: records.read,
    /** A session that goes on under a new token keeps its sign-in's absolute limit. */
    setSession: records.store,
    async getSessionAndUser(sessionId) {
      const session = await records.read(sessionId);
      return session ? [session, { id: session.user_id, username: session.username }] : [null, null];
    },
    async updateSession(sessionId, partial) {
      const session = await records.read(sessionId);
      const rewritten = session ? await records.rewrite(session, partial) : 'ended';
      if (typeof rewritten === 'string') throw new LuciaError('AUTH_INVALID_SESSION_ID');
    },
  });
}
