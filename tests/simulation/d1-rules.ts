/** What D1 refuses, with its exact messages (observed from the local D1 in workerd; the tests compare). */

/** An error as D1's binding throws it: the message with its prefix, and the plain message as its cause. */
export function d1Error(message: string, prefix = 'D1_ERROR'): Error {
  return new Error(`${prefix}: ${message}`, { cause: new Error(message) });
}

/** SQLite's extended result codes for a broken constraint (sqlite.org/rescode.html). */
const CONSTRAINTS = new Map([
  [275, 'CHECK'],
  [787, 'FOREIGNKEY'],
  [1299, 'NOTNULL'],
  [1555, 'PRIMARYKEY'],
  [2067, 'UNIQUE'],
  [2579, 'ROWID'],
]);

/** Converts SQLite's error to D1's message. D1 also reports the offset of a syntax error, which node:sqlite does not. */
export function sqliteError(error: unknown): Error {
  if (!(error instanceof Error)) return d1Error(String(error));
  const code = 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 1;
  const constraint = CONSTRAINTS.get(code);
  const name = constraint
    ? `SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_${constraint})`
    : code === 1
      ? 'SQLITE_ERROR'
      : `SQLITE (code ${code})`;
  return d1Error(`${error.message}: ${name}`);
}

export type D1Value = null | number | string | Uint8Array;

/** Returns a bound value as it reaches the database. D1 sends JSON, so a number that JSON lacks becomes NULL. */
export function boundValue(value: unknown): D1Value {
  if (typeof value === 'string' || value === null) return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw d1Error(`Type '${typeof value}' not supported for value '${String(value)}'`, 'D1_TYPE_ERROR');
}

/** Returns a value of a row as D1 does: a blob is an array of bytes. */
export function answeredValue(value: unknown): unknown {
  return value instanceof Uint8Array ? Array.from(value) : value;
}

const QUOTED_OR_COMMENT = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//g;

/** Returns the statement without its strings, quoted names and comments. */
function bareSql(sql: string): string {
  return sql.replace(QUOTED_OR_COMMENT, ' ').trim();
}

/** Refuses what D1 refuses in any database, and several statements at once, which are not simulated. */
export function checkSql(sql: string): void {
  const bare = bareSql(sql);
  if (sql.trim() === '') throw d1Error('No SQL statements detected.');
  if (bare === '') throw d1Error('SQL code did not contain a statement.');
  if (/;\s*\S/.test(bare)) {
    throw new Error(
      '[simulation] one statement per prepare(): give the others to batch(), or all of them to exec()',
    );
  }
  if (/^(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE)\b/i.test(bare)) {
    throw d1Error('To execute a transaction, please use the state.storage.transaction() API instead of SQL.');
  }
}

/** Returns how many values a statement needs: the highest number of `?N`, where each bare `?` takes the next number (sqlite.org/lang_expr.html). */
export function countParameters(sql: string): number {
  let highest = 0;
  for (const [, number] of bareSql(sql).matchAll(/\?(\d*)/g)) {
    highest = number ? Math.max(highest, Number(number)) : highest + 1;
  }
  return highest;
}

export function checkParameters(sql: string, given: number): void {
  if (given !== countParameters(sql)) throw d1Error('Wrong number of parameter bindings for SQL query.');
}
