import type { Session } from 'lucia';
import { MOVE_NOTED_EVERY_MILLISECONDS } from '../policy';
import { logEvent } from './activity';
import { familyOf, isFrom, readingOf } from './elsewhere';
import { NO_MOVES, recordMove, type Moves } from './moves-sql';
import type { RequestFacts } from './request-facts';

export type MoveNotes = ReturnType<typeof createMoveNotes>;

/**
 * Notes that a session is used from elsewhere than it was signed in. D1 keeps it and no KV record: a put could undo a renewal, and KV could keep
 * no limit.
 */
export function createMoveNotes(db: D1Database, facts: RequestFacts) {
  let noted = false;

  async function note(userId: string, sessionId: string): Promise<void> {
    try {
      const { meta } = await recordMove(db, { userId, sessionId, origin: familyOf(facts.origin) }).run();
      if (meta.changes > 0) logEvent('session-moved', { userId, sessionId });
    } catch (error) {
      // The next request of that browser notes it.
      console.warn(JSON.stringify({ event: 'session-move-not-noted', message: String(error) }));
    }
  }

  return {
    /** For a session that was just confirmed, with what the ledger knows of its moves. Writes after the answer, and only what is new. */
    see({ sessionId, user, device, place }: Session, known: Moves = NO_MOVES): void {
      if (noted) return;
      const reading = readingOf(facts.request.headers, facts.origin);
      const lately = known.open.filter(({ at }) => Date.now() - at < MOVE_NOTED_EVERY_MILLISECONDS);
      if ([{ device, place }, ...known.accepted, ...lately].some((one) => isFrom(one, reading))) return;
      noted = true;
      facts.waitUntil(note(user.userId, sessionId));
    },
  };
}
