/** The SQL of a session's line. When a browser rotates its token, a row of `RevokedSession` records which session replaced which. */
import { sql, type Sql } from '../stores/sql';

/** The first id of this session's line, from its sign-in. It is the same however often the browser rotated its token. */
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
 * The current session of this session's line: the session itself or, if its browser rotated its token, the last successor. `NULL` if it has
 * ended.
 */
export function endOfLine(sessionId: string): Sql {
  return sql`(WITH RECURSIVE line (id) AS (
      SELECT ${sessionId}
      UNION SELECT replaced_by FROM RevokedSession JOIN line USING (id) WHERE replaced_by IS NOT NULL)
    SELECT id FROM line WHERE NOT EXISTS (SELECT 1 FROM RevokedSession WHERE RevokedSession.id = line.id))`;
}
