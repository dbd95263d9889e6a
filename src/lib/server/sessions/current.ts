import { LuciaError, type Session } from 'lucia';
import { confirmed, SessionEnded, type ConfirmedSession } from './confirmed';
import { stands, type Ledger, type Standing } from './ledger';
import { endingInTime } from './lifetime';
import type { SessionLucia } from './lucia';
import type { MoveNotes } from './moves';
import type { RequestFacts } from './request-facts';
import type { ThisBrowser } from './this-browser';

export type Current = ReturnType<typeof createCurrent>;

type Parts = {
  facts: RequestFacts;
  lucia: SessionLucia;
  ledger: Ledger;
  browser: ThisBrowser;
  moves: MoveNotes;
};

/** Who sent this request. Nothing here redirects: what asks decides what an ended session means. */
export function createCurrent({ facts, lucia, ledger, browser, moves }: Parts) {
  /** The answer of `confirm`, for all that asks until an action has run: then the ledger is asked again. */
  let answer: Promise<ConfirmedSession | null> | undefined;

  /** The session that this browser has, if the ledger says that it stands. */
  async function ask(): Promise<ConfirmedSession | null> {
    const { session: own } = browser;
    if (!own) return null;
    const { userId, sessionId } = own;
    const [session, standing] = await Promise.all([
      readSession(lucia, sessionId),
      ledger.standing(userId, [sessionId]),
    ]);
    if (!standing || standing.revoked.has(sessionId) || (session && !stands(session, standing))) {
      return ended(sessionId, standing);
    }
    // No record and nothing in the ledger: it expired, or KV does not show it here yet. The cookie may stay.
    if (!session) return null;
    moves.see(session, standing.moves.get(sessionId));
    return confirmed(session);
  }

  /** Writes the record again and then asks the ledger again; no cookie is sent. */
  async function renew({ sessionId, user }: ConfirmedSession): Promise<ConfirmedSession | null> {
    try {
      return confirmed(endingInTime(await lucia.validateSession(sessionId)));
    } catch (error) {
      if (!isInvalidSession(error)) throw error;
      return ended(sessionId, await ledger.standing(user.userId, [sessionId]));
    }
  }

  /**
   * The cookie of a session that has ended goes, but for one that another request of this browser replaced: the answer of that one brings
   * the new cookie, and this must not take it away.
   */
  function ended(sessionId: string, standing: Standing | null): null {
    if (standing?.revoked.get(sessionId) !== 'replaced') browser.dropCookie();
    return null;
  }

  /** Confirmed now: one KV read and one D1 query, started together; `null` when nobody is signed in. Renews a session that is due. */
  function confirm(): Promise<ConfirmedSession | null> {
    return (answer ??= ask().then((session) => (session?.state === 'idle' ? renew(session) : session)));
  }

  return {
    /**
     * Who this is, probably: one KV read and no D1. KV may lag by a minute or more, so it must not decide anything.
     * Once an hour, when the session is due for renewal, it confirms.
     */
    async peek(): Promise<Session | null> {
      const session = facts.presented && (await readSession(lucia, facts.presented.sessionId));
      return session?.state === 'idle' ? confirm() : session;
    },

    confirm,

    /** The confirmed session. Throws `SessionEnded` when there is none. */
    async require(): Promise<ConfirmedSession> {
      return (await confirm()) ?? sessionEnded();
    },

    /** `require` for what writes the session's record itself, and renews it with that one write: KV takes one a second. */
    async requireAsItIs(): Promise<ConfirmedSession> {
      return (await ask()) ?? sessionEnded();
    },

    /** What comes after an action in the same request (the page, without scripts) asks the ledger again, and the ledger alone. */
    askAnew(): void {
      answer = undefined;
    },
  };
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
