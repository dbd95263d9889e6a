/** The kit's public types: what goes into `revocableSessions` and what comes out. Times are epoch milliseconds. */
import type { InitializeAdapter, UserAdapter, UserSchema } from 'lucia';

export type RevocableOptions = {
  /** The request as the framework hands it over: its address, cookies, user agent, and on Cloudflare `cf`. */
  request: Request;
  /** Where session records are. */
  kv: KVNamespace;
  /** Where the ledger is. Its tables come from `migration`. */
  db: D1Database;
  /** Any Lucia v2 user adapter. Only `getUser` is called, once at a sign-in. */
  userAdapter: InitializeAdapter<UserAdapter>;
  /** Signs confirmations: 32 random bytes, as text. `previous` is still believed. Left out, each `peek` asks the stores. */
  cookieSecrets?: { current: string; previous?: string | undefined } | undefined;
  /** What `peek` greets a user with, at most a few hundred characters. Left out, their id. Read at each sign-in. */
  nameOf?: (user: UserSchema) => string;
  /** `ctx.waitUntil`: lets KV's deletes outlive the answer. They decide nothing. */
  waitUntil?: (work: Promise<unknown>) => void;
};

export type Viewer = { userId: string; name: string };

/** A session that the ledger said stands, in this request. */
export type ConfirmedSession = Viewer & {
  /** A handle, not a credential: safe in a page. */
  sessionId: string;
  signedInAt: number;
  /** When it ends by itself if it is not used any more. */
  endsAt: number;
};

export type ListedSession = {
  id: string;
  /** Whether it is the session that asks. */
  current: boolean;
  /** By what the browser said at the sign-in: names that we know; `null` for others. */
  device: {
    browser: string | null;
    system: string | null;
    kind: 'phone' | 'tablet' | 'desktop' | 'tool' | 'unknown';
  };
  /** ISO 3166-1 alpha-2 country and city, as Cloudflare's edge saw them at the sign-in. */
  place: { country: string | null; city: string | null };
  signedInAt: number;
  /** Accurate to the hour. */
  lastActiveAt: number;
  endsAt: number;
};

export type SessionList = {
  /** The current one first, the others by last use. None is here that the ledger ended before. */
  sessions: ListedSession[];
  /** Whether KV was not asked for all: it has more than 1,000 records of this user. */
  more: boolean;
  /** Whether KV could not list the others: then only the current one is here. */
  unlisted: boolean;
};

/**
 * The sessions of one request. Each method may throw `StoreUnavailable`, `peek` excepted; each that needs a session throws `SessionEnded` without
 * one. Cookies wait until `applyTo` puts them into the answer.
 */
export type RevocableSessions = {
  /**
   * Whom to greet, without a store for 60 s after the ledger's last yes. It decides nothing: use `require` for what shows or changes account data.
   * `unknown`: there is a session cookie, and no store said in time whose. `null`: nobody.
   */
  peek(): Promise<Viewer | 'unknown' | null>;
  /** The session of this request, confirmed now: one KV read and one D1 query, at once. Renews a session that is due. */
  require(): Promise<ConfirmedSession>;
  /** The same for what works for guests: `null` without a session. */
  confirm(): Promise<ConfirmedSession | null>;
  /**
   * Signs this browser in, after your own check of a password or the like; a session that it had ends.
   *
   * @throws Error when the user adapter has no such user, or the id does not fit a cookie: 1 to 64 of A-Z a-z 0-9 _ -
   */
  signIn(userId: string): Promise<void>;
  /**
   * Call it right after your own check of the password of a signed-in user: this browser goes on under a new token, and may end sessions for
   * the next 15 minutes. A sign-in is such a proof, too.
   */
  prove(): Promise<void>;
  /** The user's live sessions. */
  list(): Promise<SessionList>;
  /**
   * Ends one session of this user. `unknown`: no such session, or somebody else's.
   *
   * @throws ProofNeeded, as the two below
   */
  revoke(sessionId: string): Promise<'ended' | 'unknown'>;
  /** Ends all sessions of this user but this one, which goes on under a new token. For a new password, too. */
  revokeOthers(): Promise<void>;
  /** Ends all sessions of this user, this one too. */
  revokeAll(): Promise<void>;
  /** Ends the session of this browser and clears its cookies. Without one it does nothing. */
  signOut(): Promise<void>;
  /** Appends the cookies that are due to an answer's headers; an answer to somebody who is signed in becomes `private, no-store`. */
  applyTo(headers: Headers): void;
};
