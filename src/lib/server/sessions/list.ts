import type { Session, SessionSchema } from 'lucia';
import type { SessionView } from '$lib/session-view';
import { ACTIVE_PERIOD_MILLISECONDS, SESSIONS_LISTED_MAX } from '../policy';
import { StoreUnavailable } from '../stores/guarded';
import type { ConfirmedSession } from './confirmed';
import { sessionEnded } from './current';
import type { Ledger } from './ledger';
import { stands, type Standing } from './standing';
import type { SessionLucia } from './lucia';
import { shownDevice, shownName, shownPlace } from './readable';
import type { SessionRecords } from './records';

/** A user's live sessions, as the app lists them. */
export type SessionList = {
  sessions: SessionView[];
  /** Whether there may be more, which KV was not asked for: see `SESSIONS_LISTED_MAX`. */
  more: boolean;
  /** Whether KV could not list the others: then only the current one is here. */
  unlisted: boolean;
};

type Parts = { lucia: SessionLucia; ledger: Ledger; records: SessionRecords };

export function createList({ lucia, ledger, records }: Parts) {
  /** Of these records those that stand, beside the current session. */
  function liveOthers(
    { user, sessionId }: ConfirmedSession,
    listed: SessionSchema[],
    standing: Standing | null,
  ): Session[] {
    return listed
      .map((record) => lucia.transformDatabaseSession(record, { user, fresh: false }))
      .filter((session) => session.sessionId !== sessionId && stands(session, standing));
  }

  return {
    /**
     * The user's live sessions: the current one, those that were used elsewhere, the others by last use. In the order confirm, KV's list, ledger: KV's list may be late in both
     * directions. What it still shows of ended sessions the ledger takes out, and the current session is always there. Nothing is listed for
     * a stranger, and the ledger is asked about listed ids alone. A KV that cannot list hides nothing but the others. Throws `SessionEnded`.
     */
    async all(current: ConfirmedSession): Promise<SessionList> {
      const { userId } = current.user;
      const known = await records.list(userId).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return null;
        throw error;
      });
      const listed = known ?? [];
      const standing = await ledger.standing(userId, [current.sessionId, ...listed.map(({ id }) => id)]);
      if (!stands(current, standing)) sessionEnded();
      const others = liveOthers(current, listed, standing).map((session) => viewOf(session, false, standing));
      return {
        unlisted: known === null,
        sessions: [viewOf(current, true, standing), ...others.sort(movedFirst)],
        more: listed.length >= SESSIONS_LISTED_MAX,
      };
    },

    /** The ids of the user's other live sessions, or `null` when KV does not answer: ending them does not depend on the list. */
    async others(current: ConfirmedSession): Promise<string[] | null> {
      const { userId, username } = current.user;
      try {
        const listed = await records.list(userId);
        const revoked = await ledger.revokedAmong(listed.map(({ id }) => id));
        // Beside the write that ends them: the user's epoch may have been raised already.
        const standing = { username, epoch: current.epoch, revoked, moves: new Map(), bindings: new Map() };
        return liveOthers(current, listed, standing).map(({ sessionId }) => sessionId);
      } catch {
        return null;
      }
    },
  };
}

/** How many there are; `null` where KV could not say. */
export function countOf(others: string[] | null): number | null {
  return others && others.length < SESSIONS_LISTED_MAX - 1 ? others.length : null;
}

/** First those that were used elsewhere, then by last use. */
function movedFirst(a: SessionView, b: SessionView): number {
  return Number(b.moved.length > 0) - Number(a.moved.length > 0) || b.lastActiveAt - a.lastActiveAt;
}

/** A session as the pages show it. */
export function viewOf(session: Session, current: boolean, standing: Standing | null): SessionView {
  return {
    id: session.sessionId,
    current,
    name: shownName(session.name),
    device: shownDevice(session.device),
    place: shownPlace(session.place),
    signedInAt: session.created_at,
    // Every renewal sets the active period anew, so its end tells when the session was last renewed.
    lastActiveAt: session.activePeriodExpiresAt.getTime() - ACTIVE_PERIOD_MILLISECONDS,
    endsAt: session.idlePeriodExpiresAt.getTime(),
    moved: standing?.moves.get(session.sessionId)?.open ?? [],
    bound: standing?.bindings.has(session.sessionId) ?? false,
  };
}
