export type Sql = { sql: string; values: readonly unknown[] };

export type Operation =
  | { method: 'run' | 'all' | 'first' | 'raw' | 'raw with names'; statement: Sql }
  | { method: 'first of'; statement: Sql; column: string }
  | { method: 'batch'; statements: Sql[] };

/**
 * Runs one operation after another and returns D1's results as far as the real and the simulated D1 must agree: rows, changes, errors. It
 * runs here and, as text, inside a worker, so it uses nothing from outside itself.
 */
export async function answersTo(db: D1Database, operations: Operation[]): Promise<unknown[]> {
  function bound({ sql, values }: Sql): D1PreparedStatement {
    const statement = db.prepare(sql);
    return values.length === 0 ? statement : statement.bind(...values);
  }

  function comparable({ results, meta }: D1Result): unknown {
    return { results, changes: meta.changes, rowId: meta.last_row_id, changed: meta.changed_db };
  }

  async function perform(operation: Operation): Promise<unknown> {
    if (operation.method === 'batch')
      return (await db.batch(operation.statements.map(bound))).map(comparable);
    const statement = bound(operation.statement);
    switch (operation.method) {
      case 'run':
        return comparable(await statement.run());
      case 'all':
        return comparable(await statement.all());
      case 'first':
        return statement.first();
      case 'first of':
        return statement.first(operation.column);
      case 'raw':
        return statement.raw();
      case 'raw with names':
        return statement.raw({ columnNames: true });
    }
  }

  const answers: unknown[] = [];
  for (const operation of operations) {
    try {
      answers.push({ operation, answer: await perform(operation) });
    } catch (error) {
      // node:sqlite does not report where in the statement the error is.
      answers.push({ operation, error: String(error).replace(/ at offset \d+/, '') });
    }
  }
  return answers;
}
