import {
  LuciaError,
  lucia,
  type Adapter,
  type AuthRequest,
  type InitializeAdapter,
  type Session,
  type SessionAdapter,
  type SessionSchema,
  type UserAdapter,
} from 'lucia';
import { sveltekit } from 'lucia/middleware';
import type { Cookies } from '@sveltejs/kit';
import { userAdapter, type AlongSignUp } from '../database/user-adapter';
import { cloudflareKvBinding, type SessionLayout } from '../kv-adapter';
import { StoreUnavailable, guardStores } from '../stores';
import { createDeviceCookie } from './device-cookie';
import { createLedger, type Ledger, type Standing } from './ledger';
import { scryptPasswordHash, type PasswordHash } from './password';
import { ABSOLUTE_PERIOD_MILLISECONDS, ACTIVE_PERIOD_MILLISECONDS, IDLE_PERIOD_MILLISECONDS } from './policy';
import { createThrottle } from './throttle';
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
  const memory: Memory = {
    sessions: new Map(),
    users: new Map(),
    alongSignUp: { statements: [], results: [] },
  };
  const users = initializeUsers(stores.db, memory.alongSignUp)(LuciaError);
  const ledger = createLedger(stores.db);
  const cookie = sessionCookieFor(event.url);
  const presented = parseCookieValue(event.cookies.get(cookie.name));
  /** Session id → token, for the sessions whose token this request knows. */
  const tokens = new Map(presented ? [[presented.sessionId, presented.token]] : []);

  const sessions = cloudflareKvBinding(stores.kv, undefined, { layout })(LuciaError);

  const instance = configureLucia({
    adapter: requestAdapter({
      sessions,
      users,
      ledger,
      memory,
    }),
    cookie,
    middleware: tokenCookies(presented?.sessionId ?? null, tokens),
    passwordHash,
  });
  let request: AuthRequest<typeof instance> | undefined;

  return {
    lucia: instance,
    /** Sets the cookie of a session that the browser has already: Lucia itself sets one only when the id changes. */
    sendCookieAgain(session: Session) {
      const { setCookie } = tokenCookies(
        session.sessionId,
        tokens,
      )({
        args: [event],
        env: cookie.secure ? 'PROD' : 'DEV',
        sessionCookieName: cookie.name,
      });
      setCookie(instance.createSessionCookie(session));
    },
    /** Lucia's view of this request's cookie, made when it is first asked for: a peek does without. */
    get request() {
      return (request ??= instance.handleRequest(event));
    },
    ledger,
    throttle: createThrottle(stores.db),
    deviceCookie: createDeviceCookie(event.cookies, cookie.secure, deviceSecret),
    deviceSecret,
    stores,
    tokens,
    memory,
    /** The session records as KV lists them. Lucia's own listing asks for the user as well, who may not be known yet. */
    listRecords: sessions.getSessionsByUserId,
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

export function isLoopback({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/**
 * Lucia's SvelteKit middleware with the token on the outside and its hash on the inside: the cookie that comes in
 * is turned into a session id, and the session id that Lucia sends out is turned into this request's token.
 */
function tokenCookies(presentedId: string | null, tokens: Map<string, string>): ReturnType<typeof sveltekit> {
  const middleware = sveltekit();
  return (context) => {
    const inner = middleware(context);
    return {
      ...inner,
      // Never null: Lucia would then read the Cookie header itself and take its value for a session id.
      sessionCookie: presentedId ?? '',
      setCookie(cookie) {
        if (cookie.value === '') return inner.setCookie(cookie);
        const token = tokens.get(cookie.value);
        const userId = cookie.value.slice(0, cookie.value.lastIndexOf('.'));
        if (!token)
          throw new Error('[auth] this request does not know the token of that session: sign in first');
        inner.setCookie({ ...cookie, value: cookieValueFor(userId, token) });
      },
    };
  };
}

/** What one request has read or written, so that it is neither read nor asked for twice. */
type Memory = {
  sessions: Map<string, Promise<SessionSchema | null>>;
  users: Map<string, { id: string; username: string }>;
  /** Statements that the batch of a sign-up carries along, and what they gave. */
  alongSignUp: AlongSignUp;
  /** Of the account that this request made. */
  passwordHash?: string;
  /** Whether this request signed its browser out. */
  signedOut?: boolean;
  /** The answer of `confirmSession`, for all loads and actions of the request. */
  confirmed?: Promise<Session | null>;
};

type RequestAdapterParts = {
  sessions: SessionAdapter;
  users: UserAdapter;
  ledger: Ledger;
  memory: Memory;
};

/**
 * One combined adapter: Lucia drops `getSessionAndUser` from the `{ user, session }` form, and that method is what
 * lets a session be read in one KV read, with the user's name from the record's own copy.
 */
function requestAdapter({
  sessions: kv,
  users,
  ledger,
  memory,
}: RequestAdapterParts): InitializeAdapter<Adapter> {
  return (LuciaError) => {
    function read(sessionId: string): Promise<SessionSchema | null> {
      const reading = memory.sessions.get(sessionId) ?? kv.getSession(sessionId);
      memory.sessions.set(sessionId, reading);
      return reading;
    }

    return {
      ...users,
      ...kv,
      async setUser(user, key) {
        memory.passwordHash = key?.hashed_password ?? undefined;
        await users.setUser(user, key);
      },
      getUser: async (userId) => memory.users.get(userId) ?? users.getUser(userId),
      getSession: read,
      /** A session that goes on under a new token keeps its sign-in's absolute limit. */
      setSession: (session) => kv.setSession(endingByAbsoluteLimit(session)),
      async getSessionAndUser(sessionId) {
        const session = await read(sessionId);
        return session ? [session, { id: session.user_id, username: session.username }] : [null, null];
      },

      /**
       * A renewal, or a new name. The session may be revoked between our read and our write, and our write would bring its record
       * back: so write first, then ask the ledger, and take back what was written if the session has ended.
       * A session that KV does not renew (down, out of writes, or another request renewed it within this second) stands as it is.
       */
      async updateSession(sessionId, partial) {
        const session = await read(sessionId);
        if (!session) throw new LuciaError('AUTH_INVALID_SESSION_ID');
        const changed = endingByAbsoluteLimit({ ...session, ...partial });
        let kept = changed;
        try {
          await kv.setSession(changed);
        } catch (error) {
          if (!('active_expires' in partial && error instanceof StoreUnavailable)) throw error;
          kept = session;
        }
        if (!stands(kept, await ledger.standing(kept.user_id, sessionId))) {
          await kv.deleteSession(sessionId);
          throw new LuciaError('AUTH_INVALID_SESSION_ID');
        }
        memory.sessions.set(sessionId, Promise.resolve(kept));
      },
    };
  };
}

/** However often it is renewed, a session ends `ABSOLUTE_PERIOD_MILLISECONDS` after its sign-in (ASVS 7.3.2). */
function endingByAbsoluteLimit(session: SessionSchema): SessionSchema {
  return { ...session, idle_expires: Math.min(session.idle_expires, absoluteEnd(session)) };
}

/** The same of a session as Lucia gives it, which knows of no such limit. */
export function endingInTime(session: Session): Session {
  const expires = Math.min(session.idlePeriodExpiresAt.getTime(), absoluteEnd(session));
  return { ...session, idlePeriodExpiresAt: new Date(expires) };
}

export function absoluteEnd(session: { created_at: number }): number {
  return session.created_at + ABSOLUTE_PERIOD_MILLISECONDS;
}

/** Whether a session may act, given what the ledger said: the one rule behind "revoked means revoked". */
export function stands(session: { epoch: number; created_at: number }, standing: Standing | null): boolean {
  return (
    standing !== null &&
    !standing.revoked &&
    session.epoch === standing.epoch &&
    Date.now() < absoluteEnd(session)
  );
}
