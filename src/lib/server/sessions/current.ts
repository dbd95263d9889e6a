import { LuciaError, type Session } from 'lucia';
import { PEEK_TIMEOUT_MILLISECONDS } from '../policy';
import { StoreUnavailable } from '../stores/guarded';
import { timeLimit, TimeLimitPassed } from '../stores/in-time';
import type { Confirmation } from './confirmation';
import { confirmed, SessionEnded, type ConfirmedSession } from './confirmed';
import { DeviceUnproven, type DeviceKeys } from './device-keys';
import type { Ending } from './ending';
import type { Ledger } from './ledger';
import { stands } from './standing';
import { absoluteEnd, endingInTime } from './lifetime';
import type { SessionLucia } from './lucia';
import type { MoveNotes } from './moves';
import type { RequestFacts } from './request-facts';
import type { ThisBrowser } from './this-browser';

export type Current = ReturnType<typeof createCurrent>;

/** Whom a page may greet: it decides nothing. `unknown`: there is a session cookie, and no store said in time whose. */
export type Viewer = { username: string } | 'unknown' | null;

/**
 * A session that the ledger said stands, and the time before it was asked, epoch milliseconds. `isProven`: the request has all the proof of its
 * device that the session asks for.
 */
type Standing = { session: ConfirmedSession; confirmedAt: number; isProven: boolean };

/**
 * What the stores say of the session that this browser has. `replaced`: the browser itself goes on as another one. `absent`: KV shows
 * none here and the ledger has nothing against it, so it expired, or KV is late.
 */
type Answer = Standing | 'ended' | 'replaced' | 'absent';

/** What a look finds. `unknown`: neither that the session stands nor that it has ended. */
export type Look =
  | { is: 'signed-in'; session: ConfirmedSession }
  | { is: 'signed-out'; ending: Ending | null }
  | { is: 'replaced' }
  | { is: 'unknown' };

type Own = { userId: string; sessionId: string };

type Parts = {
  facts: RequestFacts;
  lucia: SessionLucia;
  ledger: Ledger;
  browser: ThisBrowser;
  confirmation: Confirmation;
  deviceKeys: DeviceKeys | null;
  /** For what has no time for a second try. */
  dbOnce: D1Database;
  moves: MoveNotes;
};

/** Who sent this request. Nothing here redirects: what asks decides what an ended session means. */
export function createCurrent(parts: Parts) {
  const { facts, lucia, ledger, dbOnce, browser, confirmation, deviceKeys, moves } = parts;
  /** For all that asks until an action has run: then the ledger is asked again. */
  let answer: Promise<Answer | null> | undefined;
  /** What a peek began. A confirmation goes on with it, and asks anew if it failed. */
  let peeked: Promise<Answer | null> | undefined;
  /** What the ledger confirmed, while the renewal is under way. */
  let renewing: Standing | null = null;

  /** Asks KV and the ledger at once. Throws when the ledger gives no answer, or when it has nothing against a session that KV cannot show. */
  async function ask({ userId, sessionId }: Own, from?: D1Database): Promise<Answer> {
    const confirmedAt = Date.now();
    const [shown, asked] = await Promise.allSettled([
      readSession(lucia, sessionId),
      ledger.standing(userId, [sessionId], from),
    ]);
    if (asked.status === 'rejected') throw asked.reason;
    const standing = asked.value;
    const reason = standing?.revoked.get(sessionId);
    if (reason === 'replaced') return reason;
    if (!standing || reason) return 'ended';
    if (shown.status === 'rejected') throw shown.reason;
    const session = shown.value;
    if (!session) return 'absent';
    if (!stands(session, standing)) return 'ended';
    const isProven = deviceKeys?.requireProof(userId, sessionId, standing.bindings.get(sessionId)) ?? true;
    moves.see(session, standing.moves.get(sessionId));
    const user = { ...session.user, username: standing.username };
    return { session: confirmed({ ...session, user }), confirmedAt, isProven };
  }

  /** Writes the record again and then asks the ledger again; no session cookie is sent. */
  async function renew({ session: { sessionId, user }, isProven }: Standing): Promise<Answer> {
    const confirmedAt = Date.now();
    try {
      const session = endingInTime(await lucia.validateSession(sessionId));
      return { session: confirmed({ ...session, user }), confirmedAt, isProven };
    } catch (error) {
      if (!isInvalidSession(error)) throw error;
      const standing = await ledger.standing(user.userId, [sessionId]);
      return standing?.revoked.get(sessionId) === 'replaced' ? 'replaced' : 'ended';
    }
  }

  /** Asks, and renews what is due. It touches no cookie, so it may go on after the answer. */
  async function askAndRenew(from?: D1Database): Promise<Answer | null> {
    const said = browser.session && (await ask(browser.session, from));
    if (said === null || typeof said === 'string' || said.session.state === 'active') return said;
    renewing = said;
    return renew(said);
  }

  const askedOnce = () => (answer ??= peeked?.catch(() => askAndRenew()) ?? askAndRenew());

  /**
   * What was said, in this browser's cookies. A session that another request of this browser replaced keeps its cookie: the answer of that one
   * brings the new one, and this must not take it away. So does one that KV does not show here yet.
   */
  function settle(said: Answer | null): ConfirmedSession | null {
    if (said === 'ended') browser.dropCookie();
    if (said === null || typeof said === 'string') return null;
    giveConfirmation(said);
    return said.session;
  }

  /** None for the requests that were under way when the session was bound: a copy of the cookie would take it along. */
  function giveConfirmation({ session, confirmedAt, isProven }: Standing): void {
    if (isProven) confirmation.give(session, confirmedAt);
  }

  /** Confirmed now: one KV read and one D1 query, started together; `null` when nobody is signed in. Renews a session that is due. */
  async function confirm(): Promise<ConfirmedSession | null> {
    return settle(await askedOnce());
  }

  return {
    /**
     * Whom to greet: no store while a confirmation is fresh; otherwise it confirms, within `PEEK_TIMEOUT_MILLISECONDS`, and what that began
     * ends after the answer. It throws for no store, tries nothing twice, and must not decide anything.
     */
    async peek(): Promise<Viewer> {
      if (!browser.session) return null;
      const fresh = confirmation.freshFor(browser.session.sessionId);
      if (fresh) return fresh;
      const limit = timeLimit(PEEK_TIMEOUT_MILLISECONDS);
      const asked = answer ?? (peeked ??= askAndRenew(dbOnce));
      try {
        const session = settle(await Promise.race([asked, limit.passed]));
        return session && { username: session.user.username };
      } catch (error) {
        if (error instanceof DeviceUnproven) return 'unknown';
        if (!(error instanceof StoreUnavailable || error instanceof TimeLimitPassed)) throw error;
        facts.waitUntil(asked.catch(() => undefined));
        const session = settle(renewing);
        if (session) return { username: session.user.username };
        console.warn(JSON.stringify({ event: 'viewer-unknown', message: error.message }));
        return 'unknown';
      } finally {
        limit.cancel();
      }
    },

    confirm,

    /** The same for a page that works for guests: a session that lacks the proof of its device is nobody's there. */
    confirmOrNobody: (): Promise<ConfirmedSession | null> => confirm().catch(nobodyIfUnproven),

    /** The confirmed session. Throws `SessionEnded` when there is none. */
    async require(): Promise<ConfirmedSession> {
      return (await confirm()) ?? sessionEnded();
    },

    /** `require` for what writes the session's record itself, and renews it with that one write: KV takes one a second. */
    async requireAsItIs(): Promise<ConfirmedSession> {
      return settle(browser.session && (await ask(browser.session))) ?? sessionEnded();
    },

    /**
     * What an open page asks once a minute: whether its session still stands, and if not, what ended it. A look is not a use: it renews nothing,
     * and its answer leaves the session cookie as it is, so that every tab of the browser learns the same.
     */
    async look(): Promise<Look> {
      if (!browser.session) return { is: 'signed-out', ending: null };
      const said = await ask(browser.session);
      if (said === 'replaced') return { is: said };
      if (typeof said !== 'string') {
        giveConfirmation(said);
        return { is: 'signed-in', session: said.session };
      }
      // KV forgets an ended session; D1 knows what has ended it.
      const { signedInAt, ending } = await ledger.endingOf(browser.session);
      const isOver = signedInAt !== null && absoluteEnd({ created_at: signedInAt }) <= Date.now();
      if (said !== 'ended' && !ending && !isOver) return { is: 'unknown' };
      confirmation.take();
      return { is: 'signed-out', ending };
    },

    /** What ended the session whose cookie this request carries, where D1 knows: one query, whose failure is no news. For the page that says so. */
    async ending(): Promise<Ending | null> {
      if (!facts.presented) return null;
      return ledger.endingOf(facts.presented).then(
        ({ ending }) => ending,
        () => null,
      );
    },

    /** What comes after an action in the same request (the page, without scripts) asks the ledger again, and the ledger alone. */
    askAnew(): void {
      answer = peeked = undefined;
    },
  };
}

/** A session that lacks the proof of its device is nobody to greet; it has not ended. */
function nobodyIfUnproven(thrown: unknown): null {
  if (thrown instanceof DeviceUnproven) return null;
  throw thrown;
}

export function sessionEnded(): never {
  throw new SessionEnded();
}

/** The session as KV shows it here and now, unconfirmed; `null` when it shows none that is in time. */
export async function readSession(lucia: SessionLucia, sessionId: string): Promise<Session | null> {
  try {
    return await lucia.getSession(sessionId);
  } catch (error) {
    if (isInvalidSession(error)) return null;
    throw error;
  }
}

/** Lucia's way to say that there is no such session, or no longer. */
function isInvalidSession(error: unknown): boolean {
  return error instanceof LuciaError && error.message === 'AUTH_INVALID_SESSION_ID';
}
