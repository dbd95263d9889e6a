/** The kit's public types: what goes into `revocableSessions` and what comes out. Times are epoch milliseconds. */
import type { InitializeAdapter, UserAdapter, UserSchema } from 'lucia';

export type RevocableOptions = {
  /** The request from the framework. The kit reads its URL, cookies, user agent and, on Cloudflare, `cf`. */
  request: Request;
  /** Stores the session records. */
  kv: KVNamespace;
  /** Stores the ledger. `migration` creates its tables. */
  db: D1Database;
  /** Any Lucia v2 user adapter. Only `getUser` is called, once per sign-in. */
  userAdapter: InitializeAdapter<UserAdapter>;
  /**
   * Signs confirmations: 32 random bytes, as text. Signatures made with `previous` are still accepted. Without it, every `peek` asks the
   * stores.
   */
  cookieSecrets?: { current: string; previous?: string | undefined } | undefined;
  /** The name that `peek` returns for a user, at most a few hundred characters. Defaults to the user's id. It is read at each sign-in. */
  nameOf?: (user: UserSchema) => string;
  /** `ctx.waitUntil`: lets KV deletes outlive the response. Nothing depends on them. */
  waitUntil?: (work: Promise<unknown>) => void;
};

export type Viewer = { userId: string; name: string };

/** A session that the ledger confirmed in this request. */
export type ConfirmedSession = Viewer & {
  /** An identifier, not a credential: it is safe to put in a page. */
  sessionId: string;
  signedInAt: number;
  /** When the session expires if it is not used any more. */
  endsAt: number;
};

export type ListedSession = {
  id: string;
  /** Whether it is the session of this request. */
  current: boolean;
  /** What the browser reported at the sign-in, reduced to known names; otherwise `null`. */
  device: {
    browser: string | null;
    system: string | null;
    kind: 'phone' | 'tablet' | 'desktop' | 'tool' | 'unknown';
  };
  /** ISO 3166-1 alpha-2 country and city, as Cloudflare's edge reported them at the sign-in. */
  place: { country: string | null; city: string | null };
  signedInAt: number;
  /** Accurate to the hour. */
  lastActiveAt: number;
  endsAt: number;
};

export type SessionList = {
  /** The current session first, the others by last use. Sessions that the ledger has ended are not included. */
  sessions: ListedSession[];
  /** Whether there may be more: KV has more than 1,000 records of this user and was not asked for all. */
  more: boolean;
  /** Whether KV could not list the other sessions. Then only the current one is included. */
  unlisted: boolean;
};

/**
 * The sessions of one request. Every method except `peek` may throw `StoreUnavailable`. Every method that needs a session throws
 * `SessionEnded` without one. Cookies are collected until `applyTo` adds them to the response.
 */
export type RevocableSessions = {
  /**
   * Returns whom to greet. For 60 s after the ledger's last confirmation it asks no store. Do not base decisions on it: use `require` for
   * anything that shows or changes account data. `unknown`: there is a session cookie, but no store could say in time whose it is. `null`:
   * nobody.
   */
  peek(): Promise<Viewer | 'unknown' | null>;
  /** Returns the session of this request, confirmed now: one KV read and one D1 query, in parallel. Renews a session that is due. */
  require(): Promise<ConfirmedSession>;
  /** The same for pages that also work for guests: `null` without a session. */
  confirm(): Promise<ConfirmedSession | null>;
  /**
   * Signs this browser in. Call it after your own check of a password or similar. The session that this browser had ends.
   *
   * @throws Error if the user adapter has no such user, or the id does not fit a cookie: 1 to 64 of A-Z a-z 0-9 _ -
   */
  signIn(userId: string): Promise<void>;
  /**
   * Call it right after your own check of a signed-in user's password. This browser's token is rotated, and it may end sessions for the
   * next 15 minutes. A sign-in counts as such a proof, too.
   */
  prove(): Promise<void>;
  /** Returns the user's live sessions. */
  list(): Promise<SessionList>;
  /**
   * Ends one session of this user. `unknown`: no such session, or somebody else's.
   *
   * @throws ProofNeeded, as do the two methods below
   */
  revoke(sessionId: string): Promise<'ended' | 'unknown'>;
  /** Ends all sessions of this user except this one, whose token is rotated. Call it after a password change, too. */
  revokeOthers(): Promise<void>;
  /** Ends all sessions of this user, including this one. */
  revokeAll(): Promise<void>;
  /** Ends the session of this browser and clears its cookies. Does nothing without a session. */
  signOut(): Promise<void>;
  /**
   * Appends the pending cookies to the response's headers. If it sets a cookie, or the request had a session cookie, the response becomes
   * `private, no-store`.
   */
  applyTo(headers: Headers): void;
};
