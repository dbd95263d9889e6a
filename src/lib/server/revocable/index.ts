/**
 * The kit: this app's revocable sessions for any framework that provides a `Request`, with any Lucia v2 user adapter. README.md in this
 * folder is its manual. `npm run build:adapter` packs it as the entry `./revocable`.
 */
import { LuciaError } from 'lucia';
import { cloudflareKvBinding } from '../kv-adapter';
import { logEvent } from '../sessions/activity';
import { SessionEnded as Ended, type ConfirmedSession as Confirmed } from '../sessions/confirmed';
import { sessionEnded } from '../sessions/current';
import { createForRequest } from '../sessions/per-request';
import { freshlyProven, proven, type ProvenSession } from '../sessions/proof';
import { requestFacts } from '../sessions/request-facts';
import { newSession } from '../sessions/rotation';
import { isSessionIdOf } from '../sessions/token';
import { guardStores, StoreUnavailable as Unavailable } from '../stores/guarded';
import { sql } from '../stores/sql';
import { cookiesOf } from './cookies';
import migrationSql from './migration.sql?raw';
import { admit, forget, withOwners } from './owners';
import type { ConfirmedSession, RevocableOptions, RevocableSessions } from './types.js';

export type * from './types.js';

/** The session of this request has ended, or there is none. Redirect to your sign-in page. */
export const SessionEnded: new () => Error & { readonly name: 'SessionEnded' } = Ended;

/** A store threw or did not respond within 5 seconds. Respond with 503. Nobody is signed in by it. */
export const StoreUnavailable: new (
  store: 'KV' | 'D1',
  operation: string,
  cause: unknown,
) => Error & { readonly store: 'KV' | 'D1'; readonly operation: string } = Unavailable;

/** The last proof is older than 15 minutes. Ask for the password, then call `prove`. */
export class ProofNeeded extends Error {
  override readonly name = 'ProofNeeded';
}

/** The text of `migration.sql`. Its only semicolons end statements, so you can split it there to run it yourself. */
export const migration: string = migrationSql;

/** The sessions of one request. */
export function revocableSessions(options: RevocableOptions): RevocableSessions {
  const { request, userAdapter, nameOf = ({ id }) => id, waitUntil = () => {} } = options;
  const stores = guardStores(options.kv, withOwners(options.db));
  const cookies = cookiesOf(request);
  const facts = requestFacts({
    request,
    url: new URL(request.url),
    cookies,
    getClientAddress: () => '',
    platform: { ...('cf' in request && isRecord(request.cf) && { cf: request.cf }), ctx: { waitUntil } },
  });
  const { peek, parts } = createForRequest({
    stores,
    layout: 'owner',
    facts,
    cookieSecrets: options.cookieSecrets,
    users: userAdapter,
    deviceKeys: null,
    moves: { see: () => {} },
  });
  const { users, ledger, browser, current, sessions } = parts();

  const alone = { condition: sql`TRUE`, statements: [] };

  /** The proof given in this request. It counts even if KV could not record it. */
  let proof: ProvenSession | null = null;

  async function requireProven(): Promise<ProvenSession> {
    const session = await current.require();
    if (proof?.sessionId === session.sessionId) return proof;
    return freshlyProven(session) ?? proofNeeded();
  }

  return {
    async peek() {
      const viewer = await peek();
      if (viewer === null || viewer === 'unknown') return viewer;
      return browser.session && { userId: browser.session.userId, name: viewer.username };
    },

    require: async () => shown(await current.require()),

    async confirm() {
      const session = await current.confirm();
      return session && shown(session);
    },

    async signIn(userId) {
      const session = newSession(userId);
      if (!isSessionIdOf(userId, session.sessionId)) {
        throw new Error(
          '[revocable] this user id does not fit a cookie: it must be 1 to 64 of A-Z a-z 0-9 _ -',
        );
      }
      const user = await users.getUser(userId);
      if (!user) throw new Error('[revocable] the user adapter has no such user: make the user first');
      const username = nameOf(user);
      const arrival = await sessions.arrival('signed-in', userId, session.sessionId);
      const [owner] = await stores.db.batch<{ epoch: number }>([
        admit(stores.db, userId, username),
        ...ledger.arrive(arrival),
      ]);
      const epoch = owner?.results[0]?.epoch ?? sessionEnded();
      logEvent('signed-in', { userId, sessionId: session.sessionId });
      await sessions.start({ id: userId, username, epoch }, session);
      current.askAnew();
    },

    async prove() {
      proof = proven(await sessions.rotate(await current.require()));
      current.askAnew();
    },

    async list() {
      const { sessions: views, ...rest } = await sessions.list(await current.require());
      const listed = views.map(({ id, current, device, place, signedInAt, lastActiveAt, endsAt }) => ({
        ...{ id, current, device, place },
        ...{ signedInAt, lastActiveAt, endsAt },
      }));
      return { sessions: listed, ...rest };
    },

    async revoke(sessionId) {
      const session = await requireProven();
      const outcome = await sessions.revoke(session, sessionId);
      if (sessionId === session.sessionId) browser.leave();
      current.askAnew();
      return outcome === 'unknown' ? outcome : 'ended';
    },

    async revokeOthers() {
      const others = await sessions.revokeOthers(await requireProven(), alone);
      if (others === 'refused') sessionEnded();
      current.askAnew();
    },

    async revokeAll() {
      await sessions.revokeAll(await requireProven());
      current.askAnew();
    },

    async signOut() {
      await sessions.signOut();
      current.askAnew();
    },

    applyTo(headers) {
      const due = cookies.takeSetCookies();
      for (const cookie of due) headers.append('set-cookie', cookie);
      if (due.length > 0 || facts.presented) headers.set('cache-control', 'private, no-store');
    },
  };
}

/**
 * Ends all sessions of a user from outside a session, for example when their account was deleted or their password reset. Deletes what the
 * ledger and KV have of the user. Delete the account first, so that no sign-in can follow.
 */
export async function forgetUser(
  { kv, db }: Pick<RevocableOptions, 'kv' | 'db'>,
  userId: string,
): Promise<void> {
  const stores = guardStores(kv, withOwners(db));
  await forget(stores.db, userId).run();
  await cloudflareKvBinding(stores.kv, undefined, { layout: 'owner' })(LuciaError).deleteSessionsByUserId(
    userId,
  );
}

function proofNeeded(): never {
  throw new ProofNeeded(
    '[revocable] the last proof is older than 15 minutes: ask for the password, then call prove()',
  );
}

/** The part of a session that the kit exposes. */
function shown(session: Confirmed): ConfirmedSession {
  const { user, sessionId, created_at, idlePeriodExpiresAt } = session;
  return {
    userId: user.userId,
    name: user.username,
    sessionId,
    signedInAt: created_at,
    endsAt: idlePeriodExpiresAt.getTime(),
  };
}

function isRecord(value: unknown): value is { country?: unknown; city?: unknown } {
  return typeof value === 'object' && value !== null;
}
