import type { Session } from 'lucia';
import { StoreUnavailable } from '../stores/guarded';
import { write } from '../stores/writes';
import { logEvent, type EventType } from './activity';
import type { ConfirmedSession } from './confirmed';
import { readSession, sessionEnded } from './current';
import { nextEpoch } from './epoch';
import { saysItStands, type Account, type Alongside, type Arrival, type KnownByCookie } from './ledger';
import { renewedPeriods } from './lifetime';
import { endOfLine } from './line';
import { createList, type Others } from './list';
import { recordAnswer, type MoveAnswer } from './moves-sql';
import type { ProvenSession } from './proof';
import { actorOf, createRotation, type NewSession, type SessionParts } from './rotation';
import { sessionStory } from './story';
import { isSessionIdOf } from './token';

export type Sessions = ReturnType<typeof createSessions>;

/** Starts, rotates and ends sessions. Functions that act for a session require a confirmed one. */
export function createSessions(parts: SessionParts) {
  const { db, facts, lucia, ledger, records, browser, background, deeds } = parts;
  const list = createList({ lucia, ledger, records });
  const rotation = createRotation(parts);

  /** Returns the session whose cookie this request carries, and whether KV shows it. If KV does not answer, it counts as not shown. */
  async function presentedSession(): Promise<KnownByCookie | null> {
    if (!facts.presented) return null;
    const { userId, sessionId } = facts.presented;
    const record = await records.read(sessionId).catch(() => null);
    return { userId, sessionId, shown: record !== null };
  }

  return {
    list: list.all,

    /** Returns the user's other live sessions, or `null` if they could not be listed. */
    others: list.others,

    leave: browser.leave,

    rotate: rotation.rotate,
    rotateAll: rotation.rotateAll,

    /** Returns what the ledger should record about a sign-in or sign-up. The session that this browser had is replaced. */
    async arrival(type: EventType, userId: string, sessionId: string): Promise<Arrival> {
      return { type, userId, sessionId, origin: facts.origin, replaced: await presentedSession() };
    },

    /**
     * Signs this browser in after the ledger recorded the arrival: stores the session and sets its cookie. The replaced session has already
     * ended, so if this fails, nobody stays signed in by accident.
     */
    async start(account: Account, session: NewSession): Promise<void> {
      const now = Date.now();
      const notes = { created_at: now, proved_at: now, ...facts.origin };
      const started = await rotation.store(account, session, notes).catch((error: unknown) => {
        deeds.set('sign-in-here', 'unknown');
        throw error;
      });
      browser.goOnAs(started, session.token);
      const { presented } = facts;
      if (presented) background.remove(() => [presented.sessionId]);
    },

    /**
     * Ends this browser's session, or the one that it rotated to, and clears the cookie. Does nothing for a browser without a session. The
     * ledger recognizes the session by its birth. KV is asked only if the ledger does not, so signing out works while KV is down.
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
        // A session that never existed has no record to delete.
        if (byBirth.known || isShown) background.remove(() => [sessionId, ended ?? sessionId]);
      }
      browser.leave();
    },

    /**
     * Ends one session of the current user. Returns it as KV shows it. `ended: null`: KV did not answer, or no longer shows a session that
     * had ended before. `unknown`: no such session, or somebody else's; the answer does not say which.
     */
    async revoke(current: ProvenSession, sessionId: string): Promise<{ ended: Session | null } | 'unknown'> {
      const { userId } = current.user;
      if (!isSessionIdOf(userId, sessionId)) return 'unknown';
      const end = (shown: boolean) => ledger.end(actorOf(current), sessionId, shown, facts.origin);
      // KV may be down, or not show it here yet: what D1 saw the birth of is ended all the same.
      const [byBirth, read] = await Promise.allSettled([end(false), readSession(lucia, sessionId)]);
      if (byBirth.status === 'rejected') throw byBirth.reason;
      if (byBirth.value === 'unknown' && read.status === 'rejected') throw read.reason;
      const isShown = read.status === 'fulfilled' && read.value !== null;
      const outcome = byBirth.value === 'unknown' && isShown ? await end(true) : byBirth.value;
      if (outcome === 'refused') sessionEnded();
      if (outcome === 'unknown') return 'unknown';
      background.remove(() => [sessionId]);
      // That browser has rotated its token; its new session is listed and stays alive.
      const isGone = read.status === 'fulfilled' && !isShown;
      if (outcome === 'replaced' || (outcome === 'ended' && isGone)) return 'unknown';
      logEvent('session-revoked', { userId, sessionId });
      return { ended: read.status === 'fulfilled' ? read.value : null };
    },

    /**
     * Ends several sessions of the current user at once, at most `SESSIONS_SHOWN_MAX`. Returns how many ended. Ids that are not in the
     * list, that belong to somebody else, or that name the current session are skipped.
     */
    async revokeSome(current: ProvenSession, sessionIds: string[]): Promise<number> {
      const { userId } = current.user;
      const others = sessionIds.filter((id) => id !== current.sessionId && isSessionIdOf(userId, id));
      // KV may be down or not list them yet. Sessions whose birth D1 recorded end anyway.
      const listed = await records.list(userId).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return null;
        throw error;
      });
      const shown = listed && new Set(listed.sessions.map(({ id }) => id));
      const asked = others.map((id) => ({ id, shown: shown?.has(id) ?? false }));
      const ended = await ledger.endSome(actorOf(current), asked, facts.origin);
      if (ended === 'refused') sessionEnded();
      background.remove(() => others);
      for (const sessionId of ended) logEvent('session-revoked', { userId, sessionId });
      // A session that KV no longer lists was not on the user's page either.
      return ended.filter((id) => shown?.has(id) ?? true).length;
    },

    /**
     * Ends the current session of one of the user's sign-ins, because they say that it was not them. `own`: it is the session of this
     * request. `ended`: it no longer stands, whether or not this call ended it. `unknown`: no such session, or somebody else's.
     */
    async disown(current: ProvenSession, sessionId: string): Promise<'own' | 'ended' | 'unknown'> {
      const { userId } = current.user;
      const story = await sessionStory({ db, lucia, ledger }, current, sessionId);
      if (!story) return 'unknown';
      if (story.session?.current) return 'own';
      // The session may rotate its token in the meantime, so the ledger finds the end of its line in the same batch.
      const outcome = await ledger.end(
        actorOf(current),
        endOfLine(sessionId),
        story.session !== null,
        facts.origin,
      );
      if (outcome === 'refused') sessionEnded();
      if (outcome === 'ended') logEvent('session-revoked', { userId, sessionId });
      const { session } = story;
      if (session) background.remove(() => [session.id]);
      return 'ended';
    },

    /**
     * Records a user's answer about a session's use elsewhere, up to the latest move that they saw. Returns false if there is no move to
     * answer, or if there is a newer one. Throws `SessionEnded`.
     */
    async answerMoves(current: ProvenSession, answer: MoveAnswer): Promise<boolean> {
      const actor = actorOf(current);
      if (!isSessionIdOf(actor.userId, answer.sessionId)) return false;
      const results = await db.batch(
        write('answer-moves', [
          recordAnswer(db, actor, answer, facts.origin),
          ledger.askWhetherStands(actor),
        ]),
      );
      if (!saysItStands(results)) sessionEnded();
      const isRecorded = results[0]?.meta.changes === 1;
      if (isRecorded) logEvent(answer.type, { userId: actor.userId, sessionId: answer.sessionId });
      return isRecorded;
    },

    /** Returns the story of one of the user's sessions, or `null` for an unknown id or somebody else's. */
    story: (current: ConfirmedSession, sessionId: string) =>
      sessionStory({ db, lucia, ledger }, current, sessionId),

    /**
     * Names one of the user's sessions. An empty name removes the name. `unknown`: no such session, or somebody else's. Like a renewal,
     * this writes the record and then asks the ledger, so it cannot bring an ended session back. If the current session is due for renewal,
     * the same write renews it.
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

    /** Ends all sessions of the user, including this one. It does not wait for KV's list. */
    async revokeAll(current: ProvenSession): Promise<void> {
      const { userId } = current.user;
      if (!(await ledger.endAll(actorOf(current), nextEpoch(current.epoch), facts.origin))) sessionEnded();
      logEvent('all-revoked', { userId });
      browser.leave();
      background.remove(async () => {
        const { sessions: listed } = await records.list(userId);
        return [current.sessionId, ...listed.map(({ id }) => id)];
      });
    },

    /**
     * Ends all sessions of the user except this one, whose token is rotated. Returns the other sessions, or `null` if they could not be
     * listed. `refused`: the ledger refused, so nothing happened.
     */
    async revokeOthers(current: ProvenSession, alongside: Alongside): Promise<Others | 'refused'> {
      const others = await rotation.rotateAll(current, current.proved_at, (next) =>
        ledger.endOthers(actorOf(current), next, alongside, facts.origin),
      );
      if (others !== 'refused') logEvent('others-revoked', { userId: current.user.userId });
      return others;
    },
  };
}
