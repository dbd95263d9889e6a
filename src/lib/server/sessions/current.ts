import { LuciaError, type Session } from 'lucia';
import { PEEK_TIMEOUT_MILLISECONDS } from '../policy';
import { StoreUnavailable } from '../stores/guarded';
import { timeLimit, TimeLimitPassed } from '../stores/in-time';
import { asCheck } from '../stores/meter';
import type { Confirmation } from './confirmation';
import { confirmed, SessionEnded, type ConfirmedSession } from './confirmed';
import { DeviceUnproven, type DeviceKeys } from './device-keys';
import type { Ending } from './ending';
import type { Ledger } from './ledger';
import { stands } from './standing';
import { absoluteEnd, endingInTime, idleEnd } from './lifetime';
import type { SessionLucia } from './lucia';
import type { MoveNotes } from './moves';
import type { RequestFacts } from './request-facts';
import type { ThisBrowser } from './this-browser';
import type { PresentedSession } from './token';

export type Current = ReturnType<typeof createCurrent>;

/** The user whom a page may greet. It decides nothing. `unknown`: there is a session cookie, but no store said in time whose it is. */
export type Viewer = { username: string } | 'unknown' | null;

/**
 * A session that the ledger said stands, the token of its cookie, and the time before the ledger was asked, in epoch milliseconds.
 * `isProven`: the request carries all the device proof that the session requires.
 */
type Standing = { session: ConfirmedSession; token: string; confirmedAt: number; isProven: boolean };

/**
 * What the stores say about this browser's session. `replaced`: the browser has moved on to another session. `absent`: KV shows no record
 * here and the ledger has nothing against the session. It has expired, or KV is late.
 */
type Answer = Standing | 'ended' | 'replaced' | 'absent';

/** The result of a look. `unknown`: it is not known whether the session stands or has ended. */
export type Look =
  | { is: 'signed-in'; session: ConfirmedSession }
  | { is: 'signed-out'; ending: Ending | null }
  | { is: 'replaced' }
  | { is: 'unknown' };

type Parts = {
  facts: RequestFacts;
  lucia: SessionLucia;
  ledger: Ledger;
  browser: ThisBrowser;
  confirmation: Confirmation;
  deviceKeys: DeviceKeys | null;
  /** For queries that have no time for a second try. */
  dbOnce: D1Database;
  moves: MoveNotes;
};

/** Finds out who sent this request. Nothing here redirects: the caller decides what an ended session means. */
export function createCurrent(parts: Parts) {
  const { facts, lucia, ledger, dbOnce, browser, confirmation, deviceKeys, moves } = parts;
  /** Shared by all callers until an action has run. After that the ledger is asked again. */
  let answer: Promise<Answer | null> | undefined;
  /** What a peek started. A confirmation reuses it, and asks again if it failed. */
  let peeked: Promise<Answer | null> | undefined;
  /** Whether the last answer was `absent`. */
  let isAbsent = false;
  /** The session that the ledger confirmed, while its renewal is under way. */
  let renewing: Standing | null = null;

  /**
   * Asks KV and the ledger in parallel. Throws if the ledger does not answer. Also throws if KV fails and the ledger has nothing against
   * the session.
   */
  async function ask({ userId, sessionId, token }: PresentedSession, from?: D1Database): Promise<Answer> {
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
    const binding = standing.bindings.get(sessionId);
    const isProven = (await deviceKeys?.requireProof(userId, sessionId, binding)) ?? true;
    moves.see(session, standing.moves.get(sessionId));
    const user = { ...session.user, username: standing.username };
    return { session: confirmed({ ...session, user }), token, confirmedAt, isProven };
  }

  /** Writes the record again, then asks the ledger again. It sets no session cookie. */
  async function renew({ session: { sessionId, user }, token, isProven }: Standing): Promise<Answer> {
    const confirmedAt = Date.now();
    try {
      const session = endingInTime(await lucia.validateSession(sessionId));
      return { session: confirmed({ ...session, user }), token, confirmedAt, isProven };
    } catch (error) {
      if (!isInvalidSession(error)) throw error;
      const standing = await ledger.standing(user.userId, [sessionId]);
      return standing?.revoked.get(sessionId) === 'replaced' ? 'replaced' : 'ended';
    }
  }

  /** Asks, and renews a session that is due. It touches no cookie, so it may finish after the response. */
  const askAndRenew = (from?: D1Database): Promise<Answer | null> =>
    asCheck(async () => {
      const said = browser.session && (await ask(browser.session, from));
      if (said === null || typeof said === 'string' || said.session.state === 'active') return said;
      renewing = said;
      return renew(said);
    });

  const askedOnce = () => (answer ??= peeked?.catch(() => askAndRenew()) ?? askAndRenew());

  /**
   * Applies the answer to this browser's cookies. If another request of this browser replaced the session, the cookie stays: that request's
   * response brings the new cookie, and this response must not remove it. The cookie also stays if KV does not show the session here yet.
   */
  function settle(said: Answer | null): ConfirmedSession | null {
    isAbsent = said === 'absent';
    if (said === 'ended') browser.dropCookie();
    if (said === null || typeof said === 'string') return null;
    giveConfirmation(said);
    return said.session;
  }

  /** Requests that were under way when the session was bound get no confirmation, because a copied session cookie would get it too. */
  function giveConfirmation({ session, token, confirmedAt, isProven }: Standing): void {
    if (isProven) confirmation.give(session, token, confirmedAt);
  }

  /** Confirms the session now: one KV read and one D1 query, in parallel. `null` if nobody is signed in. Renews a session that is due. */
  async function confirm(): Promise<ConfirmedSession | null> {
    return settle(await askedOnce());
  }

  return {
    /**
     * Returns whom to greet when no confirmation is fresh; only `peek` calls it. It confirms within `PEEK_TIMEOUT_MILLISECONDS`; what takes
     * longer finishes after the response. A failed store does not make it throw, and nothing is tried twice.
     */
    async viewer(): Promise<Viewer> {
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

    /** The same for a page that works for guests: a session without the required device proof counts as nobody. */
    confirmOrNobody: (): Promise<ConfirmedSession | null> => confirm().catch(nobodyIfUnproven),

    /** Returns the confirmed session. Throws `SessionEnded` if there is none. */
    async require(): Promise<ConfirmedSession> {
      return (await confirm()) ?? sessionEnded();
    },

    /**
     * `require` without renewal, for code that writes the session's record itself and renews it in that write: KV accepts one write per
     * second and key.
     */
    async requireAsItIs(): Promise<ConfirmedSession> {
      const own = browser.session;
      return settle(own && (await asCheck(() => ask(own)))) ?? sessionEnded();
    },

    /**
     * What an open page asks once a minute: whether its session still stands, and if not, what ended it. A look does not count as use, so
     * it renews nothing. Its response leaves the session cookie alone, so that every tab of the browser gets the same answer.
     */
    async look(): Promise<Look> {
      if (!browser.session) return { is: 'signed-out', ending: null };
      const said = await ask(browser.session);
      if (said === 'replaced') return { is: said };
      if (typeof said !== 'string') {
        giveConfirmation(said);
        return { is: 'signed-in', session: said.session };
      }
      // KV forgets an ended session. D1 knows what ended it. That it ended must not depend on the events that tell more about it.
      const { signedInAt, ending } = await ledger.endingOf(browser.session).catch((error: unknown) => {
        if (said !== 'ended') throw error;
        return { signedInAt: null, ending: null };
      });
      const isOver = signedInAt !== null && absoluteEnd({ created_at: signedInAt }) <= Date.now();
      if (said !== 'ended' && !ending && !isOver) return { is: 'unknown' };
      confirmation.take();
      return { is: 'signed-out', ending };
    },

    /**
     * What ended the session of this request's cookie, for the page that says so: one query. `null`: it has ended or expired, and D1 does
     * not know more. `unseen`: all that is known is that KV does not show it here.
     */
    async ending(): Promise<Ending | 'unseen' | null> {
      if (!facts.presented) return null;
      const known = await ledger.endingOf(facts.presented).catch(() => null);
      if (known?.ending || !isAbsent) return known?.ending ?? null;
      if (!known) return 'unseen';
      return known.signedInAt !== null && Date.now() < idleEnd(known.signedInAt) ? 'unseen' : null;
    },

    /** Makes the next caller in the same request (after an action, the page without scripts) ask the ledger again. */
    askAnew(): void {
      answer = peeked = undefined;
      renewing = null;
    },
  };
}

/** A session without its device proof is not greeted. It has not ended. */
function nobodyIfUnproven(thrown: unknown): null {
  if (thrown instanceof DeviceUnproven) return null;
  throw thrown;
}

export function sessionEnded(): never {
  throw new SessionEnded();
}

/** Reads the session as KV shows it here and now, unconfirmed. `null` if KV shows none or it has expired. */
export async function readSession(lucia: SessionLucia, sessionId: string): Promise<Session | null> {
  try {
    return await lucia.getSession(sessionId);
  } catch (error) {
    if (isInvalidSession(error)) return null;
    throw error;
  }
}

/** Lucia's error for a session that does not exist, or no longer. */
function isInvalidSession(error: unknown): boolean {
  return error instanceof LuciaError && error.message === 'AUTH_INVALID_SESSION_ID';
}
