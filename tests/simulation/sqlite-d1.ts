import { readdirSync, readFileSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  answeredValue,
  boundValue,
  checkParameters,
  checkSql,
  countParameters,
  d1Error,
  sqliteError,
  type D1Value,
} from './d1-rules';
import { firstWords, takeStep, type D1Counters, type StepHooks } from './steps';

/** Returns the app's migrations in order, as SQL. */
export function readMigrations(folder = new URL('../../prisma/migrations/', import.meta.url)): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => readFileSync(new URL(name, folder), 'utf8'));
}

export type SqliteD1 = ReturnType<typeof createSqliteD1>;

type Prepared = { statement: StatementSync; columns: string[]; parameters: number };
type Answer = { columns: string[]; rows: unknown[][]; meta: D1Meta & Record<string, unknown> };

/**
 * D1's interface over SQLite in memory: foreign keys are on, a batch is one transaction, and errors have D1's messages. Node only. Not
 * simulated: sizes and row counts in `meta` (0), `withSession`, `dump`, and several statements in one `prepare`.
 */
export function createSqliteD1({ migrations, ...defaultHooks }: { migrations: string[] } & StepHooks) {
  const sqlite = new DatabaseSync(':memory:');
  sqlite.exec('PRAGMA foreign_keys = ON');
  for (const sql of migrations) sqlite.exec(sql);

  const cache = new Map<string, Prepared>();
  const queries = new WeakMap<D1PreparedStatement, Query>();
  const changeCount = sqlite.prepare('SELECT total_changes() AS changes, last_insert_rowid() AS rowId');
  const counters: D1Counters = { roundTrips: 0, queries: 0 };
  let seen = countChanges();
  const resetSql = wipeStatements(sqlite);

  function countChanges(): { changes: number; rowId: number } {
    const row = changeCount.get();
    return { changes: Number(row?.changes), rowId: Number(row?.rowId) };
  }

  function prepared(sql: string): Prepared {
    const known = cache.get(sql);
    if (known) return known;
    checkSql(sql);
    const statement = sqlite.prepare(sql);
    statement.setReturnArrays(true);
    const columns = statement.columns().map(({ name }) => name);
    const fresh = { statement, columns, parameters: countParameters(sql) };
    cache.set(sql, fresh);
    return fresh;
  }

  function query({ sql, values }: Query): Answer {
    const { statement, columns, parameters } = prepared(sql);
    if (values.length !== parameters) checkParameters(sql, values.length);
    const rows = statement.all(...values).map((row) => Object.values(row).map(answeredValue));
    const before = seen;
    seen = countChanges();
    const changes = seen.changes - before.changes;
    return {
      columns,
      rows,
      meta: {
        served_by: 'simulation',
        duration: 0,
        changes,
        last_row_id: seen.rowId,
        changed_db: changes !== 0 || seen.rowId !== before.rowId,
        size_after: 0,
        rows_read: 0,
        rows_written: 0,
      },
    };
  }

  /** Runs all of them or none. */
  function transaction(asked: Query[]): Answer[] {
    if (asked.length === 0) throw d1Error('No SQL statements detected.');
    sqlite.exec('BEGIN IMMEDIATE');
    try {
      const answers = asked.map(query);
      sqlite.exec('COMMIT');
      return answers;
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  function queryOf(statement: D1PreparedStatement): Query {
    const own = queries.get(statement);
    if (!own) throw new Error('[simulation] batch() takes statements of this database: prepare them on it');
    return own;
  }

  function inD1Words<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      seen = countChanges();
      throw isSqliteError(error) ? sqliteError(error) : error;
    }
  }

  function runLine(line: string, index: number): void {
    cache.clear();
    try {
      sqlite.exec(line);
    } catch (error) {
      const { message } = sqliteError(error);
      throw d1Error(message.replace('D1_ERROR:', `Error in line ${index + 1}: ${line}:`), 'D1_EXEC_ERROR');
    }
    seen = countChanges();
  }

  function connect(hooks: StepHooks = defaultHooks, place = 'D1'): D1Database {
    function ask<T>(asked: Query[], effect: () => T): Promise<T> {
      counters.roundTrips += 1;
      counters.queries += asked.length;
      const op = asked.map(({ sql }) => firstWords(sql)).join('; ');
      const key = String(asked[0]?.values[0] ?? '');
      return takeStep(hooks, { store: 'D1', op, key, place }, () => inD1Words(effect));
    }

    const owner: Owner = {
      ask: (one) => ask([one], () => query(one)),
      adopt: (statement, one) => void queries.set(statement, one),
    };

    return {
      prepare: (sql) => new SqliteStatement({ sql, values: [] }, owner),

      async batch<T>(statements: D1PreparedStatement[]): Promise<D1Result<T>[]> {
        const asked = statements.map(queryOf);
        const answers = await ask(asked, () => transaction(asked));
        return answers.map((answer) => resultOf<T>(answer));
      },

      /** Runs line by line, as D1 does. The schema may change. */
      async exec(sql) {
        const lines = sql
          .split('\n')
          .map((line) => line.trim())
          .filter((line) => line !== '');
        const asked = lines.map((line) => ({ sql: line, values: [] }));
        await ask(asked, () => lines.forEach(runLine));
        return { count: lines.length, duration: 0 };
      },

      withSession: () => notSimulated('withSession'),
      dump: () => notSimulated('dump'),
    };
  }

  return {
    /** The database with the hooks it was created with. */
    db: connect(),

    /** Returns a client with its own hooks, for a process that is scheduled or crashed. */
    connect,

    counters,

    resetCounters(): void {
      Object.assign(counters, { roundTrips: 0, queries: 0 });
    },

    /** Empties every table. This takes microseconds; a new database takes a millisecond. */
    reset(): void {
      sqlite.exec(resetSql);
      seen = countChanges();
    },

    /** Returns the real rows, without hooks and counters. */
    rows: (sql: string): Record<string, unknown>[] => sqlite.prepare(sql).all(),

    close: (): void => sqlite.close(),
  };
}

type Query = { sql: string; values: D1Value[] };

/** What a statement needs from its database. */
type Owner = {
  ask: (query: Query) => Promise<Answer>;
  /** `batch` recognizes its statements by this. */
  adopt: (statement: D1PreparedStatement, query: Query) => void;
};

class SqliteStatement implements D1PreparedStatement {
  readonly #query: Query;
  readonly #owner: Owner;

  constructor(query: Query, owner: Owner) {
    this.#query = query;
    this.#owner = owner;
    owner.adopt(this, query);
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new SqliteStatement({ sql: this.#query.sql, values: values.map(boundValue) }, this.#owner);
  }

  async first<T>(column?: string): Promise<T | null> {
    const [row] = rowsOf<Record<string, T> & T>(await this.#owner.ask(this.#query));
    if (!row || column === undefined) return row ?? null;
    const value = row[column];
    if (value === undefined) {
      throw new Error(`D1_COLUMN_NOTFOUND: Column not found (${column})`, {
        cause: new Error('Column not found'),
      });
    }
    return value;
  }

  async run<T>(): Promise<D1Result<T>> {
    return resultOf<T>(await this.#owner.ask(this.#query));
  }

  async all<T>(): Promise<D1Result<T>> {
    return resultOf<T>(await this.#owner.ask(this.#query));
  }

  raw<T = unknown[]>(options: { columnNames: true }): Promise<[string[], ...T[]]>;
  raw<T = unknown[]>(options?: { columnNames?: false }): Promise<T[]>;
  async raw(options?: { columnNames?: boolean }): Promise<unknown[]> {
    const { columns, rows } = await this.#owner.ask(this.#query);
    return options?.columnNames ? [columns, ...rows] : rows;
  }
}

function resultOf<T>(answer: Answer): D1Result<T> {
  return { success: true, results: rowsOf<T>(answer), meta: answer.meta };
}

/** Returns rows as objects. D1's callers state the type of a row, and this is the one place that trusts them. */
function rowsOf<T>({ columns, rows }: Answer): T[] {
  return rows.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])) as T);
}

function isSqliteError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SQLITE_ERROR';
}

function wipeStatements(sqlite: DatabaseSync): string {
  const tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const deletes = tables.map(({ name }) => `DELETE FROM "${String(name)}";`);
  // Without foreign keys, SQLite empties a table without looking at its rows.
  return ['PRAGMA foreign_keys = OFF;', ...deletes, 'PRAGMA foreign_keys = ON;'].join('\n');
}

function notSimulated(method: string): never {
  throw new Error(`[simulation] D1's ${method}() is not simulated: nothing here uses it`);
}
