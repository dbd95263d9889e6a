import { spawn } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getPlatformProxy } from 'wrangler';
import { EVENTS_KEPT_MILLISECONDS } from '$lib/server/auth/policy';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Each command of wrangler takes seconds to start. */
const TEST_MILLISECONDS = 90_000;

type Outcome = { code: number | null; out: string; error: string };

/** Runs the script as `npm run admin --` does. */
async function admin(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const child = spawn(process.execPath, ['scripts/admin.mjs', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, error, code] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, out, error };
}

/** Opens the stores of a state folder, as wrangler does, for as long as `use` takes. */
async function withStores<T>(folder: string, use: (stores: Cloudflare.Env) => Promise<T>): Promise<T> {
  const { env, dispose } = await getPlatformProxy<Cloudflare.Env>({
    configPath: join(ROOT, 'wrangler.toml'),
    persist: { path: join(folder, 'v3') },
  });
  try {
    return await use(env);
  } finally {
    await dispose();
  }
}

/**
 * Runs `use` with the environment that sends wrangler to an API on loopback, which answers a call (method, path, body) with what
 * `answerTo` returns.
 */
async function withApi<T>(
  answerTo: (call: string) => unknown,
  use: (env: Record<string, string>) => Promise<T>,
): Promise<T> {
  const api = createServer((request, response) => {
    void text(request).then((body) => {
      const result = answerTo(`${request.method} ${request.url} ${body}`.trim());
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ success: true, errors: [], messages: [], result }));
    });
  });
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
  const address = api.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    return await use({
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${address.port}`,
      CLOUDFLARE_API_TOKEN: 'a-token',
      CLOUDFLARE_ACCOUNT_ID: 'account',
    });
  } finally {
    await new Promise((resolve) => api.close(resolve));
  }
}

const USERS = "INSERT INTO User (id, username, session_epoch) VALUES ('ada1', 'ada', 4), ('bob1', 'bob', 7)";

/** The session records of two users: key, and the epoch in its metadata. */
const RECORDS = [
  ['session:ada1.first', 4],
  ['session:ada1.second', 3],
  ['session:ada1.without-metadata', null],
  ['session:ada1.of-a-sign-in-meanwhile', 5],
  ['session:ada12.of-someone-else', 0],
  ['session:bob1.first', 7],
] as const;

let folder: string;
/** As `folder`, but its KV cannot be opened. */
let brokenKv: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'admin-'));
  const { migrate } = await import('../../scripts/lib/steps.mjs');
  await migrate(folder);
  await withStores(folder, async ({ DB, SESSIONS }) => {
    await DB.exec(USERS);
    for (const [key, epoch] of RECORDS) {
      await SESSIONS.put(key, '{}', {
        expirationTtl: 3_600,
        ...(epoch === null ? {} : { metadata: { epoch } }),
      });
    }
  });
  brokenKv = `${folder}-broken-kv`;
  await cp(folder, brokenKv, { recursive: true });
  await rm(join(brokenKv, 'v3/kv'), { recursive: true });
  await writeFile(join(brokenKv, 'v3/kv'), 'not a folder');
}, TEST_MILLISECONDS);

afterAll(async () => {
  for (const path of [folder, brokenKv]) await rm(path, { recursive: true });
});

const epochs = ({ DB }: Cloudflare.Env) =>
  DB.prepare('SELECT username, session_epoch AS epoch FROM User ORDER BY username').all();

describe('npm run admin -- end-sessions', { timeout: TEST_MILLISECONDS }, () => {
  it('runs no SQL that a username brings along, and says when there is no such user', async () => {
    const usernames = [
      "x' OR '1'='1",
      "ada'; DELETE FROM User; --",
      'ada" --',
      'ad%',
      'ad',
      'a'.repeat(65),
      '-ada',
    ];
    for (const username of usernames) {
      const { code, out, error } = await admin(['end-sessions', '--persist-to', folder, '--', username]);
      expect({ code, out, error }).toEqual({
        code: 1,
        out: '',
        error: `No user can be called ${JSON.stringify(username)}. Nothing was changed.\n`,
      });
    }
    expect(await admin(['end-sessions', 'grace', '--persist-to', folder])).toEqual({
      code: 1,
      out: '',
      error: 'There is no user grace in the local stores. Nothing was changed.\n',
    });
    const { results } = await withStores(folder, epochs);
    expect(results).toEqual([
      { username: 'ada', epoch: 4 },
      { username: 'bob', epoch: 7 },
    ]);
  });

  it('ends every session of that user and of nobody else, and says so', async () => {
    expect(await admin(['end-sessions', 'Ada', '--persist-to', folder])).toEqual({
      code: 0,
      out: 'Ended every session of ada in the local stores: 3 session records deleted from KV.\n',
      error: '',
    });
    await withStores(folder, async (stores) => {
      expect((await epochs(stores)).results).toEqual([
        { username: 'ada', epoch: 5 },
        { username: 'bob', epoch: 7 },
      ]);
      const events = await stores.DB.prepare(
        'SELECT user_id, type, session_id, device, place FROM SecurityEvent',
      ).all();
      expect(events.results).toEqual([
        {
          user_id: 'ada1',
          type: 'ended-by-operator',
          session_id: null,
          device: '{"browser":null,"system":null,"kind":"unknown"}',
          place: '{"country":null,"city":null}',
        },
      ]);
      const { keys } = await stores.SESSIONS.list();
      expect(keys.map(({ name }) => name)).toEqual([
        'session:ada1.of-a-sign-in-meanwhile',
        'session:ada12.of-someone-else',
        'session:bob1.first',
      ]);
    });
  });

  it('has ended the sessions also when KV fails, and says what is left', async () => {
    const { code, out, error } = await admin(['end-sessions', 'ada', '--persist-to', brokenKv]);
    expect(out).toBe('Ended every session of ada in the local stores.\n');
    expect(error).toContain('Warning: their records are still in KV.');
    expect(code).toBe(0);
    await rm(join(brokenKv, 'v3/kv'));
    const ada = await withStores(brokenKv, async ({ DB }) =>
      DB.prepare("SELECT session_epoch FROM User WHERE username = 'ada'").first('session_epoch'),
    );
    expect(ada).toBe(5);
  });

  it('asks the deployed stores with --remote, those of previews with --preview', async () => {
    const asked: string[] = [];
    const outcome = await withApi(
      (call) => {
        asked.push(call.includes("username = 'ada'") ? call.replace(/ \{.*/s, ' ada') : call);
        if (call.includes('/query')) return [{ results: [{ id: 'ada1', epoch: 2 }] }, { results: [] }];
        return call.includes('/keys') ? [{ name: 'session:ada1.first', metadata: { epoch: 1 } }] : {};
      },
      (env) => admin(['end-sessions', 'ada', '--remote', '--preview'], env),
    );
    expect(outcome.out).toBe(
      'Ended every session of ada in the deployed preview stores: 1 session record deleted from KV.\n',
    );
    expect(outcome.code).toBe(0);
    const d1 = '/accounts/account/d1/database/00000000-0000-0000-0000-000000000001';
    const kv = '/accounts/account/storage/kv/namespaces/00000000000000000000000000000001';
    expect(asked).toEqual([
      `POST ${d1}/query ada`,
      `GET ${kv}/keys?prefix=session%3Aada1.`,
      `DELETE ${kv}/bulk ["session:ada1.first"]`,
    ]);
  });
});

describe('npm run admin -- purge', { timeout: TEST_MILLISECONDS }, () => {
  it('deletes what is past its time and nothing else, and says how much', async () => {
    const now = Date.now();
    const soon = now + 3_600_000;
    const young = now - EVENTS_KEPT_MILLISECONDS + 3_600_000;
    const old = now - EVENTS_KEPT_MILLISECONDS;
    await withStores(folder, async ({ DB }) => {
      await DB.exec('DELETE FROM SecurityEvent');
      await DB.exec(
        `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason) VALUES ('r1', 'bob1', 0, ${now}, 'revoked'), ('r2', 'bob1', 0, ${soon}, 'revoked'), ('r3', 'bob1', 0, 1, 'revoked')`,
      );
      await DB.exec(
        `INSERT INTO SignInThrottle (id, failures, blocked_until, expires_at) VALUES ('t1', 1, 0, ${now}), ('t2', 1, 0, ${soon})`,
      );
      await DB.exec(
        `INSERT INTO SecurityEvent (user_id, type, device, place, at) VALUES ('bob1', 'signed-in', '{}', '{}', ${old}), ('bob1', 'signed-out', '{}', '{}', ${young})`,
      );
    });
    expect(await admin(['purge', '--persist-to', folder])).toEqual({
      code: 0,
      out: 'Deleted from the local stores: 2 expired ledger rows, 1 expired throttle row and 1 event older than 90 days.\n',
      error: '',
    });
    const left = await withStores(folder, async ({ DB }) => {
      const tables = [
        'SELECT id FROM RevokedSession',
        'SELECT id FROM SignInThrottle',
        'SELECT type FROM SecurityEvent',
      ];
      const results = await DB.batch(tables.map((sql) => DB.prepare(sql)));
      return results.map(({ results }) => results);
    });
    expect(left).toEqual([[{ id: 'r2' }], [{ id: 't2' }], [{ type: 'signed-out' }]]);
  });

  it('takes a bounded number of rows at a time, until none is left', async () => {
    const rows = 12_345;
    await withStores(folder, async ({ DB }) => {
      await DB.exec(
        `INSERT INTO SignInThrottle (id, failures, blocked_until, expires_at) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT 'many-' || i, 1, 0, 1 FROM n`,
      );
    });
    expect((await admin(['purge', '--persist-to', folder])).out).toContain(`${rows} expired throttle rows`);

    const statements: string[] = [];
    const left: Record<string, number> = { RevokedSession: 0, SignInThrottle: rows, SecurityEvent: 5_000 };
    const answerTo = (call: string) => {
      statements.push(call.slice(call.indexOf('{')));
      const table = Object.keys(left).find((name) => call.includes(`DELETE FROM ${name} `)) ?? '';
      const limit = Number(/LIMIT (\d+)\)/.exec(call)?.[1] ?? Infinity);
      const deleted = Math.min(limit, left[table] ?? 0);
      left[table] = (left[table] ?? 0) - deleted;
      return [{ results: Array.from({ length: deleted }, () => ({ 1: 1 })), success: true, meta: {} }];
    };
    const { out } = await withApi(answerTo, (env) => admin(['purge', '--remote'], env));
    expect(out).toContain(
      `0 expired ledger rows, ${rows} expired throttle rows and 5000 events older than 90 days`,
    );
    expect(left).toEqual({ RevokedSession: 0, SignInThrottle: 0, SecurityEvent: 0 });
    expect(statements).toHaveLength(1 + 3 + 2);
    for (const statement of statements) expect(statement).toMatch(/DELETE FROM .* LIMIT 5000\)/);
  });
  // Six commands of wrangler.
  it(
    'deletes every KV record that deleted accounts left, and of nobody else',
    { timeout: 3 * TEST_MILLISECONDS },
    async () => {
      const kept = ['session:dan12.first', 'user_sessions:dan12', 'session:eve1.of-someone-who-lives'];
      await withStores(folder, async ({ DB, SESSIONS }) => {
        await DB.exec(`INSERT INTO Leftover (user_id, since) VALUES ('dan1', 1), ('joe1', ${Date.now()})`);
        const left = Array.from({ length: 1_001 }, (_, i) => `session:dan1.${i}`);
        const keys = [...left, 'user_sessions:dan1', 'session:joe1.first', ...kept];
        await Promise.all(keys.map((key) => SESSIONS.put(key, 'not a session')));
      });
      const { code, out, error } = await admin(['purge', '--persist-to', folder]);
      expect({ code, error }).toEqual({ code: 0, error: '' });
      expect(out.split('\n').slice(1)).toEqual([
        'Deleted from the local stores: 1002 session records of 2 deleted accounts.',
        '1 of them in the last 10 minutes: KV may not list all of those records yet, so run this again later.',
        '',
      ]);
      await withStores(folder, async ({ DB, SESSIONS }) => {
        const { keys } = await SESSIONS.list();
        const names = keys.map(({ name }) => name);
        expect(names.filter((name) => /dan1|joe1|eve1/.test(name)).sort()).toEqual([...kept].sort());
        const { results } = await DB.prepare('SELECT user_id FROM Leftover').all();
        expect(results).toEqual([{ user_id: 'joe1' }]);
      });
    },
  );

  it('says what to do about a database without its tables', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'admin-empty-'));
    const { code, error } = await admin(['purge', '--persist-to', empty]);
    await rm(empty, { recursive: true });
    expect(error).toContain('Apply the migrations first: "npm run db:migrate".');
    expect(code).toBe(1);
  });
});

describe('npm run admin', { timeout: TEST_MILLISECONDS }, () => {
  it.each([
    [[]],
    [['end-sessions']],
    [['end-sessions', 'ada', 'bob']],
    [['purge', 'ada']],
    [['delete-everything']],
    [['purge', '--yes']],
    [['purge', '--remote', '--persist-to', '/nowhere']],
  ])('%j explains itself and does nothing', async (args) => {
    const { code, out, error } = await admin(args);
    expect(error).toMatch(/Usage:|leave it out with --remote/);
    expect({ code, out }).toEqual({ code: 1, out: '' });
  });
});
