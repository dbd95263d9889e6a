import type { Session, SessionSchema } from 'lucia';
import type { SessionView } from '$lib/session-view';
import { ACTIVE_PERIOD_MILLISECONDS, REVOKED_READ_MAX } from '../policy';
import { StoreUnavailable } from '../stores/guarded';
import type { ConfirmedSession } from './confirmed';
import { sessionEnded } from './current';
import type { Ledger } from './ledger';
import { stands, type Standing } from './standing';
import type { SessionLucia } from './lucia';
import { shownDevice, shownName, shownPlace } from './readable';
import type { SessionRecords } from './records';

/** A user's live sessions as the app lists them. */
export type SessionList = {
  sessions: SessionView[];
  /** Whether there may be more sessions that KV was not asked for: see `SESSIONS_LISTED_MAX`. */
  more: boolean;
  /** Whether KV could not list the others. Then only the current session is included. */
  unlisted: boolean;
};

/** A user's other sessions by id. `isExact`: they are all that live, and no others. `null`: a store did not answer. */
export type Others = { ids: string[]; isExact: boolean } | null;

type Parts = { lucia: SessionLucia; ledger: Ledger; records: SessionRecords };

export function createList({ lucia, ledger, records }: Parts) {
  /** Returns those of the records that stand, without the current session's. */
  function liveOthers(
    current: ConfirmedSession,
    listed: SessionSchema[],
    standing: Standing | null,
  ): SessionSchema[] {
    return listed.filter(({ id, epoch, created_at }) => {
      return id !== current.sessionId && stands({ sessionId: id, epoch, created_at }, standing);
    });
  }

  return {
    /**
     * Returns the user's live sessions: first the current one, then those used elsewhere, then the others by last use. The order of steps
     * matters: confirm, list in KV, ask the ledger. KV's list may be late in both directions. The ledger removes the ended sessions that KV
     * still shows, and the current session is always included. Nothing is listed for a stranger, and the ledger is asked only about listed
     * ids. If KV cannot list, only the other sessions are missing. Throws `SessionEnded`.
     */
    async all(current: ConfirmedSession): Promise<SessionList> {
      const { userId } = current.user;
      const known = await records.list(userId).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return null;
        throw error;
      });
      const { sessions: listed, more } = known ?? { sessions: [], more: false };
      const standing = await ledger.standing(userId, [current.sessionId, ...listed.map(({ id }) => id)]);
      if (!stands(current, standing)) sessionEnded();
      const others = liveOthers(current, listed, standing)
        .map((record) => lucia.transformDatabaseSession(record, { user: current.user, fresh: false }))
        .map((session) => viewOf(session, false, standing));
      return {
        unlisted: known === null,
        sessions: [viewOf(current, true, standing), ...others.sort(movedFirst)],
        more,
      };
    },

    /**
     * Lists the user's other live sessions: one KV list and one D1 query, in parallel. It does not throw if a store does not answer: ending
     * them must not depend on the list.
     */
    async others(current: ConfirmedSession): Promise<Others> {
      const { userId, username } = current.user;
      try {
        const [{ sessions: listed, more }, revoked] = await Promise.all([
          records.list(userId),
          ledger.lastRevoked(userId, REVOKED_READ_MAX),
        ]);
        // This runs in parallel with the write that ends them, which may already have raised the user's epoch.
        const standing = { username, epoch: current.epoch, revoked, moves: new Map(), bindings: new Map() };
        return {
          ids: liveOthers(current, listed, standing).map(({ id }) => id),
          isExact: !more && revoked.size < REVOKED_READ_MAX,
        };
      } catch {
        return null;
      }
    },
  };
}

/** How many there are, or `null` if that is not known. */
export function countOf(others: Others): number | null {
  return others?.isExact ? others.ids.length : null;
}

/** Sorts sessions used elsewhere first, then the most recently used. */
function movedFirst(a: SessionView, b: SessionView): number {
  return Number(b.moved.length > 0) - Number(a.moved.length > 0) || b.lastActiveAt - a.lastActiveAt;
}

/** Makes the view of a session that the pages show. */
export function viewOf(session: Session, current: boolean, standing: Standing | null): SessionView {
  return {
    id: session.sessionId,
    current,
    name: shownName(session.name),
    device: shownDevice(session.device),
    place: shownPlace(session.place),
    signedInAt: session.created_at,
    // Every renewal starts a new active period, so the period's end tells when the session was last renewed.
    lastActiveAt: session.activePeriodExpiresAt.getTime() - ACTIVE_PERIOD_MILLISECONDS,
    endsAt: session.idlePeriodExpiresAt.getTime(),
    moved: standing?.moves.get(session.sessionId)?.open ?? [],
    bound: standing?.bindings.has(session.sessionId) ?? false,
  };
}
