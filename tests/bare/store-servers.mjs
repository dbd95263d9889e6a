/**
 * KV and D1 in this process, for a workerd in another one. Each is an HTTP server with the protocol of workerd's own bindings. They respond
 * after a configurable delay, like stores across a network. KV is never out of date, and nothing is persisted. Assets and the edge's cache
 * are here as well, both empty.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../../scripts/lib/processes.mjs';

/** @typedef {{ value: string, metadata?: string, expiration?: number }} KvRecord `metadata` is JSON, `expiration` epoch seconds */
/** @typedef {{ kvMilliseconds: number, d1Milliseconds: number }} Delays */
/** @typedef {{ status?: number, headers?: Record<string, string>, body?: string }} Answer */
/** @typedef {Awaited<ReturnType<typeof startStores>>} StoreServers */

const LIST_MAX_KEYS = 1_000;

/**
 * Starts the stores, with the app's tables and no data.
 * @param {Delays} delays can be changed at any time
 */
export async function startStores(delays) {
  const db = new DatabaseSync(':memory:');
  db.exec('PRAGMA foreign_keys = ON');
  const migrations = join(ROOT, 'prisma/migrations');
  for (const name of readdirSync(migrations).sort()) {
    if (name.endsWith('.sql')) db.exec(readFileSync(join(migrations, name), 'utf8'));
  }
  /** @type {Map<string, KvRecord>} */
  const records = new Map();
  const query = queryOf(db);

  const kv = await serve(async (request) => {
    await delay(delays.kvMilliseconds);
    return answerKv(records, request);
  });
  const d1 = await serve(async (request) => {
    await delay(delays.d1Milliseconds);
    return answerD1(db, query, request);
  });
  // The response of Pages' assets and of the edge's cache for a missing file.
  let askedOfEdge = 0;
  const nothing = await serve(async () => {
    askedOfEdge += 1;
    return { status: 404, headers: { 'cf-cache-status': 'MISS' } };
  });
  return {
    delays,
    /** The contents of KV. */
    records,
    /** The contents of D1. */
    db,
    kvPort: kv.port,
    d1Port: d1.port,
    nothingPort: nothing.port,
    /** How often Pages' assets or the edge's cache was asked. */
    askedOfEdge: () => askedOfEdge,
    async stop() {
      await Promise.all([kv.stop(), d1.stop(), nothing.stop()]);
      db.close();
    },
  };
}

/** @typedef {{ method: string, url: URL, metadata?: string, body: string }} StoreRequest */

/** @param {(request: StoreRequest) => Promise<Answer>} answer */
async function serve(answer) {
  const server = createServer(async (request, response) => {
    try {
      const url = new URL(request.url ?? '/', 'http://store');
      const metadata = request.headers['cf-kv-metadata'];
      const {
        status = 200,
        headers,
        body,
      } = await answer({
        method: request.method ?? 'GET',
        url,
        ...(typeof metadata === 'string' && { metadata }),
        body: await text(request),
      });
      response.writeHead(status, headers).end(body);
    } catch (error) {
      // A worker that was aborted cancels its requests.
      if (!request.complete) response.destroy();
      else response.writeHead(500).end(String(error));
    }
  });
  server.keepAliveTimeout = 0;
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('[store-servers] no port');
  return {
    port: address.port,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/**
 * @param {Map<string, KvRecord>} records
 * @param {StoreRequest} request
 * @returns {Answer}
 */
function answerKv(records, { method, url, metadata, body }) {
  const { searchParams } = url;
  const key = decodeURIComponent(url.pathname.slice(1));
  if (method === 'GET' && key === '') return list(records, searchParams);
  if (method === 'POST') return { body: JSON.stringify(bulk(records, JSON.parse(body).keys)) };
  if (method === 'DELETE') {
    records.delete(key);
    return {};
  }
  if (method === 'PUT') {
    const expiration = searchParams.get('expiration');
    records.set(key, { value: body, metadata, ...(expiration && { expiration: Number(expiration) }) });
    return {};
  }
  const record = read(records, key);
  if (!record) return { status: 404 };
  return {
    body: record.value,
    headers: {
      ...(record.expiration && { 'CF-Expiration': String(record.expiration) }),
      ...(record.metadata && { 'CF-KV-Metadata': record.metadata }),
    },
  };
}

/**
 * @param {Map<string, KvRecord>} records
 * @param {string} key
 */
function read(records, key) {
  const record = records.get(key);
  return record && (record.expiration ?? Infinity) * 1_000 > Date.now() ? record : null;
}

/**
 * @param {Map<string, KvRecord>} records
 * @param {string[]} keys
 */
function bulk(records, keys) {
  return Object.fromEntries(keys.map((key) => [key, read(records, key)?.value ?? null]));
}

/**
 * @param {Map<string, KvRecord>} records
 * @param {URLSearchParams} search
 * @returns {Answer}
 */
function list(records, search) {
  const prefix = search.get('prefix') ?? '';
  const after = search.get('cursor') ?? '';
  const limit = Number(search.get('key_count_limit') ?? LIST_MAX_KEYS);
  const names = [...records.keys()]
    .filter((name) => name.startsWith(prefix) && name > after && read(records, name))
    .sort();
  const keys = names.slice(0, limit).map((name) => {
    const { expiration, metadata } = records.get(name) ?? {};
    return { name, expiration, metadata };
  });
  const rest =
    names.length > limit ? { list_complete: false, cursor: keys.at(-1)?.name } : { list_complete: true };
  return { body: JSON.stringify({ keys, ...rest, cacheStatus: null }) };
}

/** @typedef {{ sql: string, params?: (string | number | null)[] }} Query */
/** @typedef {(query: Query, asRows: boolean) => object} RunQuery */

/**
 * @param {DatabaseSync} db
 * @returns {RunQuery}
 */
function queryOf(db) {
  /** @type {Map<string, import('node:sqlite').StatementSync>} */
  const prepared = new Map();
  const totals = db.prepare('SELECT total_changes() AS changes, last_insert_rowid() AS rowId');
  return ({ sql, params = [] }, asRows) => {
    const statement = prepared.get(sql) ?? db.prepare(sql);
    prepared.set(sql, statement);
    const before = totals.get();
    const found = statement.all(...params);
    const after = totals.get();
    const changes = Number(after?.changes) - Number(before?.changes);
    const columns = statement.columns().map(({ name }) => name);
    return {
      success: true,
      results: asRows ? { columns, rows: found.map((row) => columns.map((name) => row[name])) } : found,
      meta: {
        duration: 0,
        changes,
        last_row_id: Number(after?.rowId),
        changed_db: changes > 0,
        size_after: 0,
      },
    };
  };
}

/**
 * All queries of a request are one transaction, as D1 has it.
 * @param {DatabaseSync} db
 * @param {RunQuery} query
 * @param {StoreRequest} request
 * @returns {Answer}
 */
function answerD1(db, query, { url, body }) {
  /** @type {Query[]} */
  const queries = [JSON.parse(body)].flat();
  const asRows = url.searchParams.get('resultsFormat') === 'ROWS_AND_COLUMNS';
  const headers = { 'content-type': 'application/json' };
  db.exec('BEGIN');
  try {
    const results = queries.map((one) => query(one, asRows));
    db.exec('COMMIT');
    return { headers, body: JSON.stringify(results) };
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    const message = `${error instanceof Error ? error.message : error}: SQLITE_ERROR`;
    return { headers, body: JSON.stringify({ success: false, error: message }) };
  }
}
