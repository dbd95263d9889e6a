import { empty, prepare, sql, type Sql } from '../stores/sql';
import { BINDINGS_OF_ASKED } from './device-key-sql';
import { MOVES_OF_ASKED, movesReadOf, readMoves, type MoveRow } from './moves-sql';
import type { Reason, Standing } from './standing';

/**
 * What the question below joins to each `asked` session: a row with these columns and a non-null `id`, or nothing. It holds no values,
 * because the question is composed once and binds its own.
 */
export type AboutAsked = { id: Sql; columns: Sql; join: Sql };

const WITHOUT_BINDINGS: AboutAsked = { id: sql`NULL`, columns: sql`NULL, NULL`, join: empty };
const WITHOUT_MOVES: AboutAsked = { id: sql`NULL`, columns: sql`NULL, NULL, NULL, NULL, NULL`, join: empty };

/** What D1 knows of an asked session: one row for each move, at least one if it was revoked or is bound, and none otherwise. */
type KnownRow = [
  sessionId: string,
  reason: Reason | null,
  bindingId: string | null,
  boundAt: number,
  ...move: MoveRow | [null, ...unknown[]],
];

/** Which tables are asked, besides those of users and revocations. */
type AskedAlso = { hasEvents: boolean; hasBindings: boolean };

/** The SQL of the question. `?1` is the user's id, `?2` the session ids as JSON, `?3` how many moves of each. */
function composeQuestion({ hasEvents, hasBindings }: AskedAlso): string {
  const binding = hasBindings ? BINDINGS_OF_ASKED : WITHOUT_BINDINGS;
  const move = hasEvents ? MOVES_OF_ASKED : WITHOUT_MOVES;
  return sql`SELECT username, session_epoch AS epoch,
      (SELECT json_group_array(json_array(asked.value, revoked.reason, ${binding.columns}, ${move.columns}))
       FROM json_each(?2) AS asked
       LEFT JOIN RevokedSession AS revoked ON revoked.id = asked.value ${binding.join} ${move.join}
       WHERE coalesce(revoked.id, ${binding.id}, ${move.id}) IS NOT NULL) AS known
    FROM User WHERE id = ?1`.sql;
}

/** Cached per isolate: composing the question took 2 % of a confirmed request. */
const questions = new Map<string, string>();

function questionFor(also: AskedAlso): string {
  const id = `${also.hasEvents}/${also.hasBindings}`;
  const known = questions.get(id);
  if (known) return known;
  const question = composeQuestion(also);
  questions.set(id, question);
  return question;
}

/**
 * Reads the user's epoch and which of these sessions were revoked, used elsewhere or bound, as of one moment in D1. Every confirmed request
 * asks this, so it is one pass over the sessions: a subquery for each kind of answer costs SQLite twice as much.
 */
export async function readStanding(
  db: D1Database,
  userId: string,
  sessionIds: string[],
  also: AskedAlso,
): Promise<Standing | null> {
  const row = await db
    .prepare(questionFor(also))
    .bind(userId, JSON.stringify(sessionIds), ...(also.hasEvents ? [movesReadOf(sessionIds.length)] : []))
    .first<{ username: string; epoch: number; known: string }>();
  if (!row) return null;
  return { username: row.username, epoch: row.epoch, ...readKnown(JSON.parse(row.known) as KnownRow[]) };
}

function readKnown(rows: KnownRow[]): Pick<Standing, 'revoked' | 'bindings' | 'moves'> {
  const revoked: Standing['revoked'] = new Map();
  const bindings: Standing['bindings'] = new Map();
  const moves = new Map<string, MoveRow[]>();
  for (const [sessionId, reason, bindingId, createdAt, ...move] of rows) {
    if (reason) revoked.set(sessionId, reason);
    if (bindingId) bindings.set(sessionId, { id: bindingId, createdAt });
    if (isMove(move)) moves.set(sessionId, [...(moves.get(sessionId) ?? []), move]);
  }
  return { revoked, bindings, moves: new Map([...moves].map(([id, own]) => [id, readMoves(own)])) };
}

const isMove = (columns: MoveRow | [null, ...unknown[]]): columns is MoveRow => columns[0] !== null;

/** Reads which sessions of a user ended last, at most `limit`. */
export async function readLastRevoked(
  db: D1Database,
  userId: string,
  limit: number,
): Promise<Standing['revoked']> {
  const { results } = await prepare(
    db,
    sql`SELECT id, reason FROM RevokedSession WHERE user_id = ${userId} ORDER BY rowid DESC LIMIT ${limit}`,
  ).all<{ id: string; reason: Reason }>();
  return new Map(results.map(({ id, reason }) => [id, reason]));
}
