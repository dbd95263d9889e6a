/** The SQL of a session's line: its browser rotates its token, and the rows of `RevokedSession` say what each session goes on as. */
import { sql, type Sql } from '../stores/sql';

/** The id that this session's line began with at its sign-in: the same however often its browser rotated its token. */
export function lineOf(sessionId: string | Sql): Sql {
  return sql`coalesce(
    (SELECT coalesce(RevokedSession.line, RevokedSession.id) FROM RevokedSession WHERE replaced_by = ${sessionId}),
    ${sessionId})`;
}

/** Every id of the line that began with this one. */
export function idsOfLine(line: string | Sql): Sql {
  return sql`SELECT ${line} UNION ALL SELECT replaced_by FROM RevokedSession WHERE RevokedSession.line = ${line}`;
}

/**
 * The session that this one goes on as: itself, or, when its browser rotated its token, the last one of its line. `NULL` when that has ended.
 */
export function endOfLine(sessionId: string): Sql {
  return sql`(WITH RECURSIVE line (id) AS (
      SELECT ${sessionId}
      UNION SELECT replaced_by FROM RevokedSession JOIN line USING (id) WHERE replaced_by IS NOT NULL)
    SELECT id FROM line WHERE NOT EXISTS (SELECT 1 FROM RevokedSession WHERE RevokedSession.id = line.id))`;
}
