import { readFileSync } from 'node:fs';
import { expect, type APIRequestContext } from '@playwright/test';
import * as v from 'valibot';

/** Where wrangler's dev server gives access to its local KV and D1. */
const EXPLORER = '/cdn-cgi/local/explorer/api';
const KEYS_A_PAGE = 1000;
const VALUES_A_CALL = 100;

/** A KV record as it is stored, with everything needed to put it back. */
export type KvRecord = { key: string; value: string; metadata: unknown; expiration: number | undefined };

const keysAnswer = v.object({
  result: v.array(
    v.object({ name: v.string(), metadata: v.optional(v.unknown()), expiration: v.optional(v.number()) }),
  ),
  result_info: v.object({ cursor: v.optional(v.string(), '') }),
});
const valuesAnswer = v.object({ result: v.object({ values: v.record(v.string(), v.nullable(v.string())) }) });
const rowsAnswer = v.object({
  result: v.tuple([v.object({ results: v.object({ rows: v.array(v.array(v.unknown())) }) })]),
});

/**
 * KV and D1 of a running server. All access goes through the server's own process. A second process on the same SQLite files works only
 * while nobody else writes.
 */
export class Storage {
  private readonly kv: string;
  private readonly d1: string;

  constructor(private readonly request: APIRequestContext) {
    const config = readFileSync('wrangler.toml', 'utf8');
    this.kv = `${EXPLORER}/storage/kv/namespaces/${firstId(config, 'id')}`;
    this.d1 = `${EXPLORER}/d1/database/${firstId(config, 'database_id')}`;
  }

  /** Returns every KV record whose key begins with one of the prefixes; by default every record. */
  async records(...prefixes: string[]): Promise<KvRecord[]> {
    const found: KvRecord[] = [];
    for (const prefix of prefixes.length > 0 ? prefixes : ['']) {
      for (let cursor: string | null = ''; cursor !== null;) {
        const params: Record<string, string | number> = { limit: KEYS_A_PAGE };
        if (prefix) params.prefix = prefix;
        if (cursor) params.cursor = cursor;
        const page: v.InferOutput<typeof keysAnswer> = v.parse(
          keysAnswer,
          await this.ask('get', `${this.kv}/keys`, { params }),
        );
        const values = await this.values(page.result.map(({ name }) => name));
        for (const { name, metadata, expiration } of page.result) {
          const value = values.get(name);
          // The record may be deleted between the two requests.
          if (typeof value === 'string') found.push({ key: name, value, metadata, expiration });
        }
        cursor = page.result_info.cursor || null;
      }
    }
    return found;
  }

  /** Returns the records of one user, in either layout. */
  recordsOf(userId: string): Promise<KvRecord[]> {
    return this.records(`session:${userId}.`, `user_sessions:${userId}`);
  }

  /** Restores records: the same key, value, metadata and expiration. */
  async putBack(records: KvRecord[]): Promise<void> {
    await this.ask('put', `${this.kv}/bulk`, { data: records });
  }

  /** Returns every row of every table of the app, as text. */
  async rows(): Promise<string> {
    const tables = await this.query(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    const contents = await Promise.all(
      tables.map(([table]) => this.query(`SELECT * FROM "${String(table)}"`)),
    );
    return JSON.stringify(contents);
  }

  /** Makes D1 fail from now on when something is written about this user's sessions or account. Other users are not affected. */
  async failWritesOf(userId: string): Promise<void> {
    await this.query(
      `CREATE TRIGGER "fail ${userId}" BEFORE INSERT ON SecurityEvent WHEN NEW.user_id = '${userId}'
       BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`,
    );
  }

  private async query(sql: string): Promise<unknown[][]> {
    const answer = v.parse(rowsAnswer, await this.ask('post', `${this.d1}/raw`, { data: { sql } }));
    return answer.result[0].results.rows;
  }

  private async values(keys: string[]): Promise<Map<string, string | null>> {
    const values = new Map<string, string | null>();
    for (let start = 0; start < keys.length; start += VALUES_A_CALL) {
      const data = { keys: keys.slice(start, start + VALUES_A_CALL) };
      const answer = v.parse(valuesAnswer, await this.ask('post', `${this.kv}/bulk/get`, { data }));
      for (const [key, value] of Object.entries(answer.result.values)) values.set(key, value);
    }
    return values;
  }

  private async ask(
    method: 'get' | 'post' | 'put',
    path: string,
    options: { params?: Record<string, string | number>; data?: unknown },
  ): Promise<unknown> {
    const response = await this.request[method](path, options);
    expect(response.status(), `${method} ${path}: ${await response.text()}`).toBe(200);
    return response.json();
  }
}

/** Returns the first id of that name in wrangler.toml, which is the one that local mode uses. */
function firstId(config: string, name: string): string {
  const id = new RegExp(`^${name} = "([^"]+)"`, 'm').exec(config)?.[1];
  if (!id) throw new Error(`[e2e] wrangler.toml has no ${name}.`);
  return id;
}
