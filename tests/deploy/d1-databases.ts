import { createHash, createHmac, randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ApiError } from './api-error';

type Statement = { results: unknown[]; success: true; meta: object };

/** The D1 databases of an account. Each is an SQLite file where Miniflare looks for it, so that a deployed worker opens the same one. */
export class D1Databases {
  readonly #names = new Map<string, string>();
  /** The databases on which SQL was run. */
  readonly asked = new Set<string>();
  /** The location hints that databases were created with. */
  readonly locations: string[] = [];

  /** @param folder Miniflare's folder for D1 */
  constructor(readonly folder: string) {}

  list() {
    return [...this.#names].map(([uuid, name]) => ({ uuid, name, version: 'production' }));
  }

  create(name: string, location?: string) {
    if ([...this.#names.values()].includes(name)) {
      throw new ApiError(400, 7502, `A database named ${name} already exists`);
    }
    const uuid = randomUUID();
    this.#names.set(uuid, name);
    if (location) this.locations.push(location);
    return { uuid, name };
  }

  require(uuid: string): void {
    if (!this.#names.has(uuid)) throw new ApiError(404, 7404, `The database ${uuid} could not be found`);
  }

  /** Runs SQL as D1 does: all statements, or none if one fails. */
  query(uuid: string, sql: string): Statement[] {
    this.require(uuid);
    this.asked.add(uuid);
    const database = this.#open(uuid);
    try {
      return [{ results: run(database, sql), success: true, meta: {} }];
    } catch (error) {
      throw new ApiError(400, 7500, `${error instanceof Error ? error.message : error}: SQLITE_ERROR`);
    } finally {
      database.close();
    }
  }

  #open(uuid: string): DatabaseSync {
    const folder = join(this.folder, NAMESPACE);
    mkdirSync(folder, { recursive: true });
    return new DatabaseSync(join(folder, `${objectIdOf(uuid)}.sqlite`));
  }
}

function run(database: DatabaseSync, sql: string): unknown[] {
  if (/^\s*SELECT\b/i.test(sql)) return database.prepare(sql).all();
  database.exec('BEGIN');
  try {
    database.exec(sql);
    database.exec('COMMIT');
    return [];
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

const NAMESPACE = 'miniflare-D1DatabaseObject';

/** Returns the id that workerd gives the Durable Object of this name. Miniflare stores a D1 under it. */
function objectIdOf(name: string): string {
  const key = createHash('sha256').update(NAMESPACE).digest();
  const first = createHmac('sha256', key).update(name).digest().subarray(0, 16);
  const second = createHmac('sha256', key).update(first).digest().subarray(0, 16);
  return Buffer.concat([first, second]).toString('hex');
}
