import { prepare, sql } from '../stores/sql';
import { bindingsAmong, readBindings } from './device-key-sql';
import { movesAmong, readMoves } from './moves-sql';
import type { Reason, Standing } from './standing';

type StandingRow = { username: string; epoch: number; revoked: string; moves: string; bindings: string };

/** Reads the user's epoch and which of these sessions were revoked, used elsewhere or bound, as of one moment in D1. */
export async function readStanding(
  db: D1Database,
  userId: string,
  sessionIds: string[],
  { hasEvents, hasBindings }: { hasEvents: boolean; hasBindings: boolean },
): Promise<Standing | null> {
  const asked = JSON.stringify(sessionIds);
  const row = await prepare(
    db,
    sql`SELECT username, session_epoch AS epoch,
          (SELECT json_group_array(json_array(id, reason)) FROM RevokedSession
           WHERE id IN (SELECT value FROM json_each(${asked}))) AS revoked,
          ${hasEvents ? sql`(${movesAmong(asked)})` : sql`'[]'`} AS moves,
          ${hasBindings ? bindingsAmong(asked) : sql`'[]'`} AS bindings
        FROM User WHERE id = ${userId}`,
  ).first<StandingRow>();
  if (!row) return null;
  const revoked = new Map(JSON.parse(row.revoked) as [string, Reason][]);
  return { ...row, revoked, moves: readMoves(row.moves), bindings: readBindings(row.bindings) };
}

export async function readRevoked(db: D1Database, sessionIds: string[]): Promise<Map<string, Reason>> {
  const { results } = await prepare(
    db,
    sql`SELECT id, reason FROM RevokedSession WHERE id IN (SELECT value FROM json_each(${JSON.stringify(sessionIds)}))`,
  ).all<{ id: string; reason: Reason }>();
  return new Map(results.map(({ id, reason }) => [id, reason]));
}
