/** The SQL of moves. They are events of the session's line, so they stay with it when its browser rotates its token. */
import type { Move } from '$lib/session-view';
import {
  DAY_MILLISECONDS,
  KNOWN_MOVES_PER_DAY_MAX,
  MOVE_NOTED_EVERY_MILLISECONDS,
  MOVES_PER_DAY_MAX,
  MOVES_READ_AT_ONCE_MAX,
  MOVES_READ_MAX,
} from '../policy';
import { raw, sql, type Sql } from '../stores/sql';
import { readOrigin, recordEvent, type Origin } from './activity';
import type { Actor } from './ledger';
import { actorStands } from './ledger-sql';
import { lineOf } from './line';
import type { AboutAsked } from './standing-sql';

/** What the ledger knows about a session's use elsewhere. */
export type Moves = {
  /** Moves that the user has not answered yet: the latest one from each place, newest first. */
  open: Move[];
  /** Moves that the user confirmed as their own. */
  accepted: Origin[];
};

export const NO_MOVES: Moves = { open: [], accepted: [] };

const MOVE_TYPES = sql`('session-moved', 'move-accepted', 'move-denied')`;

/**
 * The part about moves of the ledger's question about `asked` sessions: the latest moves of each, as `MoveRow`s. `?3` is how many
 * (`movesReadOf`).
 */
export const MOVES_OF_ASKED: AboutAsked = {
  id: sql`event.id`,
  columns: sql`event.id, event.type, event.device, event.place, event.at`,
  join: sql`LEFT JOIN SecurityEvent AS event ON event.session_id = ${lineOf(sql`asked.value`)}
    AND event.type IN ${MOVE_TYPES}
    AND event.id > coalesce((SELECT id FROM SecurityEvent AS earlier
      WHERE earlier.session_id = event.session_id AND earlier.type IN ${MOVE_TYPES}
      ORDER BY id DESC LIMIT 1 OFFSET ${raw('?3')}), 0)`,
};

/** How many moves of each of these sessions are read, so that the answer about many of them fits into one value of D1 (2 MB). */
export function movesReadOf(sessions: number): number {
  return Math.max(1, Math.min(MOVES_READ_MAX, Math.floor(MOVES_READ_AT_ONCE_MAX / sessions)));
}

export type MoveRow = [id: number, type: string, device: string, place: string, at: number];

/** Reads the rows of one session. An answer covers all moves before it, back to the previous answer. */
export function readMoves(rows: MoveRow[]): Moves {
  const moves: Moves = { open: [], accepted: [] };
  let answer: string | undefined;
  const seen = new Set<string>();
  const newestFirst = rows.toSorted(([a], [b]) => b - a);
  for (const [id, type, device, place, at] of newestFirst) {
    if (type !== 'session-moved') {
      answer = type;
      continue;
    }
    const move = { id, ...readOrigin({ device, place }), at };
    if (answer === 'move-accepted') moves.accepted.push(move);
    const key = `${device} ${move.place.country}`;
    if (!answer && !seen.has(key)) moves.open.push(move);
    seen.add(key);
  }
  return moves;
}

/** The moves of a line since its user's last answer. */
function movesSinceAnswer(line: Sql): Sql {
  return sql`SecurityEvent WHERE session_id = ${line} AND type = 'session-moved'
    AND id > coalesce((SELECT max(id) FROM SecurityEvent
                       WHERE session_id = ${line} AND type IN ('move-accepted', 'move-denied')), 0)`;
}

/**
 * The statement that records a move, unless the last hour has one of the same kind or the day's limit is reached. Of two at the same
 * moment, D1 accepts one.
 */
export function recordMove(
  db: D1Database,
  { userId, sessionId, origin }: { userId: string; sessionId: string; origin: Origin },
): D1PreparedStatement {
  const now = Date.now();
  const line = lineOf(sessionId);
  const same = sql`device = ${JSON.stringify(origin.device)} AND json_extract(place, '$.country') IS ${origin.place.country}`;
  const since = (milliseconds: number) => sql`${movesSinceAnswer(line)} AND at > ${now - milliseconds}`;
  return recordEvent(
    db,
    { type: 'session-moved', sessionId: line, ...origin, at: now },
    sql`User.id = ${userId}
      AND NOT EXISTS (SELECT 1 FROM ${since(MOVE_NOTED_EVERY_MILLISECONDS)} AND ${same})
      AND (SELECT count(*) FROM ${since(DAY_MILLISECONDS)}) <
        CASE WHEN EXISTS (SELECT 1 FROM ${since(DAY_MILLISECONDS)} AND ${same})
        THEN ${KNOWN_MOVES_PER_DAY_MAX} ELSE ${MOVES_PER_DAY_MAX} END`,
  );
}

/** What a user says about their session's moves: that it was them, or that it was not. */
export type MoveAnswer = {
  sessionId: string;
  type: 'move-accepted' | 'move-denied';
  /** The id of the latest move that the user saw. A newer move makes the answer invalid. */
  seen: number;
};

/** The statement that records an answer if the acting session stands and there is no newer move. */
export function recordAnswer(
  db: D1Database,
  actor: Actor,
  { sessionId, type, seen }: MoveAnswer,
  origin: Origin,
): D1PreparedStatement {
  const line = lineOf(sessionId);
  const open = movesSinceAnswer(line);
  return recordEvent(
    db,
    { type, sessionId: line, ...origin, at: Date.now() },
    sql`User.id = ${actor.userId} AND ${actorStands(actor)}
      AND EXISTS (SELECT 1 FROM ${open}) AND NOT EXISTS (SELECT 1 FROM ${open} AND id > ${seen})`,
  );
}
