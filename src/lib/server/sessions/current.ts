import { LuciaError, type Session } from 'lucia';
import { confirmed, SessionEnded, type ConfirmedSession } from './confirmed';
import { DeviceUnproven, type DeviceKeys } from './device-keys';
import type { Ending } from './ending';
import { stands, type Ledger } from './ledger';
import { absoluteEnd, endingInTime } from './lifetime';
import type { SessionLucia } from './lucia';
import type { RequestFacts } from './request-facts';
import type { ThisBrowser } from './this-browser';

export type Current = ReturnType<typeof createCurrent>;

/**
 * What the stores say of the session that this browser has. `replaced`: the browser itself goes on as another one. `absent`: KV shows
 * none here and the ledger has nothing against it, so it expired, or KV is late.
 */
type Answer = ConfirmedSession | 'ended' | 'replaced' | 'absent';

/** What a look finds. `unknown`: neither that the session stands nor that it has ended. */
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
  deviceKeys: DeviceKeys | null;
};

/** Who sent this request. Nothing here redirects: what asks decides what an ended session means. */
export function createCurrent({ facts, lucia, ledger, browser, deviceKeys }: Parts) {
  /** The answer of `confirm`, for all that asks until an action has run: then the ledger is asked again. */
  let answer: Promise<ConfirmedSession | null> | undefined;

  /** Asks KV and the ledger at once. Throws when the ledger gives no answer, or when it has nothing against a session that KV cannot show. */
  async function ask({ userId, sessionId }: { userId: string; sessionId: string }): Promise<Answer> {
    const [shown, asked] = await Promise.allSettled([
      readSession(lucia, sessionId),
      ledger.standing(userId, [sessionId]),
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
    deviceKeys?.requireProof(userId, sessionId, standing.bindings.get(sessionId));
    return confirmed(session);
  }

  /** The session that this browser has, if the ledger says that it stands. */
  async function askWhoIsHere(): Promise<ConfirmedSession | null> {
    const answer = browser.session && (await ask(browser.session));
    if (typeof answer !== 'string') return answer;
    if (answer === 'ended') browser.dropCookie();
    // A session that another request of this browser replaced keeps its cookie: the answer of that one brings the new one, and this must not
    // take it away. So does one that KV does not show here yet.
    return null;
  }

  /** Writes the record again and then asks the ledger again; no cookie is sent. */
  async function renew({ sessionId, user }: ConfirmedSession): Promise<ConfirmedSession | null> {
    try {
      return confirmed(endingInTime(await lucia.validateSession(sessionId)));
    } catch (error) {
      if (!isInvalidSession(error)) throw error;
      const standing = await ledger.standing(user.userId, [sessionId]);
      if (standing?.revoked.get(sessionId) !== 'replaced') browser.dropCookie();
      return null;
    }
  }

  /** Confirmed now: one KV read and one D1 query, started together; `null` when nobody is signed in. Renews a session that is due. */
  function confirm(): Promise<ConfirmedSession | null> {
    return (answer ??= askWhoIsHere().then((session) =>
      session?.state === 'idle' ? renew(session) : session,
    ));
  }

  return {
    /**
     * Who this is, probably: one KV read and no D1. KV may lag by a minute or more, so it must not decide anything.
     * Once an hour, when the session is due for renewal, it confirms.
     */
    async peek(): Promise<Session | null> {
      const session = facts.presented && (await readSession(lucia, facts.presented.sessionId));
      return session?.state === 'idle' ? this.confirmOrNobody() : session;
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
      return (await askWhoIsHere()) ?? sessionEnded();
    },

    /**
     * What an open page asks once a minute: whether its session still stands, and if not, what ended it. A look is not a use: it renews nothing,
     * and its answer leaves the session cookie as it is, so that every tab of the browser learns the same.
     */
    async look(): Promise<Look> {
      if (!browser.session) return { is: 'signed-out', ending: null };
      const answer = await ask(browser.session);
      if (answer === 'replaced') return { is: answer };
      if (typeof answer !== 'string') return { is: 'signed-in', session: answer };
      // KV forgets an ended session; D1 knows what has ended it.
      const { signedInAt, ending } = await ledger.endingOf(browser.session);
      const isOver = signedInAt !== null && absoluteEnd({ created_at: signedInAt }) <= Date.now();
      return answer === 'ended' || ending || isOver ? { is: 'signed-out', ending } : { is: 'unknown' };
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
      answer = undefined;
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
