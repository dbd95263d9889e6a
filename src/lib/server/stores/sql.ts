import type { Sql } from 'sql-template-tag';

export { default as sql, empty, join, raw, type Sql } from 'sql-template-tag';

/** A statement for `run`, `all`, `first` or `batch`. A fragment carries its own values, so nobody counts placeholders. */
export function prepare(db: D1Database, query: Sql): D1PreparedStatement {
  return db.prepare(query.sql).bind(...query.values);
}
