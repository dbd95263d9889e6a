import type { SessionSchema } from 'lucia';
import type { SessionView } from '$lib/session-view';
import { StoreUnavailable } from '../stores/guarded';
import { logEvent, type EventType } from './activity';
import type { Background } from './background';
import { confirmed, type ConfirmedSession } from './confirmed';
import { readSession, sessionEnded } from './current';
import {
  nextEpoch,
  type Account,
  type Actor,
  type Alongside,
  type Arrival,
  type KnownByCookie,
  type Ledger,
  type Rotation,
} from './ledger';
import { endingInTime, renewedPeriods } from './lifetime';
import { createList } from './list';
import type { SessionLucia } from './lucia';
import type { ProvenSession } from './proof';
import type { SessionRecords } from './records';
import type { RequestFacts } from './request-facts';
import type { ThisBrowser } from './this-browser';
import { createToken, isSessionIdOf, sessionIdFor } from './token';

export type Sessions = ReturnType<typeof createSessions>;

/** A session that is about to be: its id is known before anything is stored, and its token to this request alone. */
export type NewSession = { sessionId: string; token: string };

export type SessionParts = {
  facts: RequestFacts;
  lucia: SessionLucia;
  ledger: Ledger;
  records: SessionRecords;
  browser: ThisBrowser;
  background: Background;
};

/** Sessions as they begin, go on under another token, and end. What asks for a session takes a confirmed one. */
export function createSessions({ facts, lucia, ledger, records, browser, background }: SessionParts) {
  const list = createList({ lucia, ledger, records });

  /** The session whose cookie this request carries, and whether KV shows it. A KV that does not answer shows nothing. */
  async function presentedSession(): Promise<KnownByCookie | null> {
    if (!facts.presented) return null;
    const { userId, sessionId } = facts.presented;
    const record = await records.read(sessionId).catch(() => null);
    return { userId, sessionId, shown: record !== null };
  }

  /** Stores a session; nobody has its token before its cookie is sent. */
  async function store(
    { id, username, epoch }: Account,
    { sessionId }: NewSession,
    notes: SessionNotes,
  ): Promise<ConfirmedSession> {
    const record: SessionSchema = {
      id: sessionId,
      user_id: id,
      username,
      epoch,
      ...notes,
      ...renewedPeriods(),
    };
    try {
      await records.store(record);
    } catch (error) {
      // KV may have taken it, with only the answer lost.
      background.remove(() => [sessionId]);
      throw error;
    }
    const user = { userId: id, username };
    return confirmed(endingInTime(lucia.transformDatabaseSession(record, { user, fresh: false })));
  }

  /** Stores the session that takes the place of the current one. */
  function storeSuccessor(
    { user, created_at, device, place, name }: ConfirmedSession,
    successor: NewSession,
    { epoch, proved_at }: { epoch: number; proved_at: number },
  ): Promise<ConfirmedSession> {
    const account = { id: user.userId, username: user.username, epoch };
    return store(account, successor, { created_at, proved_at, device, place, ...(name && { name }) });
  }

  /** The cookie goes. */
  function leave(): void {
    browser.leave();
  }

  return {
    list: list.all,

    /** The user's other live sessions; `null` when KV could not list them. */
    others: list.others,

    leave,

    /** What the ledger records of a sign-in or sign-up; the session that this browser had is replaced. */
    async arrival(type: EventType, userId: string, sessionId: string): Promise<Arrival> {
      return { type, userId, sessionId, origin: facts.origin, replaced: await presentedSession() };
    },

    /**
     * Signs this browser in, after the ledger let the arrival in: stores the session and sets its cookie.
     * The replaced session ended before: if this fails, nobody is signed in by accident.
     */
    async start(account: Account, session: NewSession): Promise<void> {
      const now = Date.now();
      const started = await store(account, session, { created_at: now, proved_at: now, ...facts.origin });
      browser.goOnAs(started, session.token);
      const { presented } = facts;
      if (presented) background.remove(() => [presented.sessionId]);
    },

    /**
     * Ends the session of this browser, or what that went on as, and clears the cookie. Does nothing for a browser without one. The ledger
     * knows the session by its birth; KV is asked only where it does not, so one can sign out with KV down.
     */
    async signOut(): Promise<void> {
      if (facts.presented) {
        const { sessionId, userId } = facts.presented;
        const byBirth = await ledger.signOut({ userId, sessionId, shown: false }, facts.origin);
        const isShown = !byBirth.known && (await records.read(sessionId)) !== null;
        const { ended } = isShown
          ? await ledger.signOut({ userId, sessionId, shown: true }, facts.origin)
          : byBirth;
        if (ended) logEvent('signed-out', { userId, sessionId: ended });
        // Of a session that there never was there is nothing to remove.
        if (byBirth.known || isShown) background.remove(() => [sessionId, ended ?? sessionId]);
      }
      leave();
    },

    /** Ends one session of the current user. `unknown`: no such session, or somebody else's; the answer does not say which. */
    async revoke(current: ProvenSession, sessionId: string): Promise<'ended' | 'unknown'> {
      const { userId } = current.user;
      if (!isSessionIdOf(userId, sessionId)) return 'unknown';
      const end = (shown: boolean) => ledger.end(actorOf(current), sessionId, shown, facts.origin);
      // KV may not show it here yet: what D1 saw the birth of is ended all the same.
      const [byBirth, record] = await Promise.all([end(false), readSession(lucia, sessionId)]);
      const outcome = byBirth === 'unknown' && record ? await end(true) : byBirth;
      if (outcome === 'refused') sessionEnded();
      if (outcome === 'unknown') return 'unknown';
      background.remove(() => [sessionId]);
      // That browser has rotated its token; its new session is listed and stays alive.
      if (outcome === 'replaced' || (outcome === 'ended' && !record)) return 'unknown';
      logEvent('session-revoked', { userId, sessionId });
      return 'ended';
    },

    /**
     * Names one of the user's sessions; an empty name takes it back. `unknown`: no such session, or somebody else's.
     * Like a renewal it writes the record and then asks the ledger, so it cannot bring an ended session back. The current session is
     * renewed in the same write if that is due.
     */
    async rename(current: ConfirmedSession, sessionId: string, name: string): Promise<'renamed' | 'unknown'> {
      if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';
      const record = await records.read(sessionId);
      if (!record || record.idle_expires <= Date.now()) return 'unknown';
      const isCurrent = sessionId === current.sessionId;
      const renewal = isCurrent && current.state === 'idle' ? renewedPeriods() : {};
      const outcome = await records.rewrite(record, { name, ...renewal }, current);
      if (outcome === 'refused') background.run(() => records.takeBack(record));
      if (outcome === 'refused' || (outcome === 'ended' && isCurrent)) sessionEnded();
      return outcome === 'ended' ? 'unknown' : 'renamed';
    },

    /** Ends all sessions of the user, this one too. It does not wait for KV's list. */
    async revokeAll(current: ProvenSession): Promise<void> {
      const { userId } = current.user;
      if (!(await ledger.endAll(actorOf(current), nextEpoch(current.epoch), facts.origin))) sessionEnded();
      logEvent('all-revoked', { userId });
      leave();
      background.remove(async () => {
        const listed = await records.list(userId);
        return [current.sessionId, ...listed.map(({ id }) => id)];
      });
    },

    /**
     * Ends all sessions of the user but this one, which goes on under a new token. Returns the others; `null` when KV could not list them.
     * `refused`: the ledger did not do it, so nothing happened.
     */
    async revokeOthers(
      current: ProvenSession,
      alongside: Alongside,
    ): Promise<SessionView[] | null | 'refused'> {
      const others = await this.rotateAll(current, current.proved_at, (rotation) =>
        ledger.endOthers(actorOf(current), rotation, alongside, facts.origin),
      );
      if (others !== 'refused') logEvent('others-revoked', { userId: current.user.userId });
      return others;
    },

    /**
     * Ends every session by `raise`, which has the ledger raise the epoch and says whether it did; this browser goes on in the
     * new epoch, under a new token and id, and the old records go.
     */
    async rotateAll(
      current: ConfirmedSession,
      proved_at: number,
      raise: (rotation: Rotation) => Promise<boolean>,
    ): Promise<SessionView[] | null | 'refused'> {
      const next = nextEpoch(current.epoch);
      const successor = newSession(current.user.userId);
      const { sessionId: successorId } = successor;
      const others = list.others(current);
      // All at once: until the ledger has raised the epoch the successor's record is no session.
      const [raised, stored] = await Promise.allSettled([
        raise({ next, successorId }),
        storeSuccessor(current, successor, { epoch: next, proved_at }),
      ]);
      const goesOn = raised.status === 'fulfilled' && raised.value;
      // Also when the ledger raised the epoch and only its answer was lost: nobody has that session's token.
      if (!goesOn && stored.status === 'fulfilled') background.remove(() => [successorId]);
      if (raised.status === 'rejected') throw raised.reason;
      if (!raised.value) return 'refused';
      const listed = await others;
      background.remove(() => [current.sessionId, ...(listed ?? []).map(({ id }) => id)]);
      if (stored.status === 'rejected') throw stored.reason;
      browser.goOnAs(stored.value, successor.token);
      return listed;
    },

    /**
     * The password was just given: this browser goes on under a new token, the old one is dead (ASVS 7.2.4). Where KV takes no
     * new session it keeps the old one, with a proof for this request alone: others can be ended all the same.
     */
    async rotate(current: ConfirmedSession): Promise<ConfirmedSession> {
      const proved = { epoch: current.epoch, proved_at: Date.now() };
      const next = newSession(current.user.userId);
      const successor = await storeSuccessor(current, next, proved).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return null;
        throw error;
      });
      if (!successor) return { ...current, ...proved };
      let goesOn = false;
      try {
        goesOn = await ledger.replace(actorOf(current), successor.sessionId);
      } finally {
        // Of the two, only the one that this browser has is left.
        background.remove(() => [goesOn ? current.sessionId : successor.sessionId]);
      }
      if (!goesOn) sessionEnded();
      browser.goOnAs(successor, next.token);
      return successor;
    },
  };
}

type SessionNotes = Omit<Lucia.DatabaseSessionAttributes, 'username' | 'epoch'>;

/** Draws a token for a session of this user. Nothing is stored yet. */
export function newSession(userId: string): NewSession {
  const token = createToken();
  return { token, sessionId: sessionIdFor(userId, token) };
}

export function actorOf({ user, sessionId, epoch }: ConfirmedSession): Actor {
  return { userId: user.userId, sessionId, epoch };
}
