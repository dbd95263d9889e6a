import type { Session } from 'lucia';
import { MOVE_NOTED_EVERY_MILLISECONDS } from '../policy';
import { logEvent } from './activity';
import { familyOf, isFrom, readingOf } from './elsewhere';
import { NO_MOVES, recordMove, type Moves } from './moves-sql';
import type { RequestFacts } from './request-facts';

export type MoveNotes = ReturnType<typeof createMoveNotes>;

/**
 * Records that a session is used from elsewhere than where it was signed in. The notes are kept in D1 and not in the KV record: a KV write
 * could undo a renewal, and KV could not enforce a limit.
 */
export function createMoveNotes(db: D1Database, facts: RequestFacts) {
  let noted = false;

  async function note(userId: string, sessionId: string): Promise<void> {
    try {
      const { meta } = await recordMove(db, { userId, sessionId, origin: familyOf(facts.origin) }).run();
      if (meta.changes > 0) logEvent('session-moved', { userId, sessionId });
    } catch (error) {
      // The browser's next request will record it.
      console.warn(JSON.stringify({ event: 'session-move-not-noted', message: String(error) }));
    }
  }

  return {
    /** Checks a session that was just confirmed, given its known moves. Writes after the response, and only a new move. */
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
