/** `npm run admin` on the deployed stores and on stores that fail: about ten runs of wrangler, each of several seconds. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { migrate } from '../../scripts/lib/steps.mjs';
import { admin, adminRemote, TEST_MILLISECONDS, withStores } from './admin-command';

vi.setConfig({ testTimeout: TEST_MILLISECONDS });

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'admin-deep-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('end-sessions ends the sessions even if KV fails, and says what is left', async () => {
  await migrate(folder);
  await withStores(folder, ({ DB }) =>
    DB.exec("INSERT INTO User (id, username, session_epoch) VALUES ('ada1', 'ada', 4)"),
  );
  const kv = join(folder, 'v3/kv');
  await rm(kv, { recursive: true, force: true });
  await writeFile(kv, 'not a folder');
  const { code, out, error } = await admin(['end-sessions', 'ada', '--persist-to', folder]);
  expect(out).toBe('Ended every session of ada in the local stores.\n');
  expect(error).toContain('Warning: their records are still in KV.');
  expect(code).toBe(0);
  await rm(kv);
  const epoch = await withStores(folder, ({ DB }) =>
    DB.prepare("SELECT session_epoch FROM User WHERE username = 'ada'").first('session_epoch'),
  );
  expect(epoch).toBe(5);
});

it('end-sessions uses the deployed stores with --remote, and those of previews with --preview', async () => {
  const { outcome, calls } = await adminRemote(['end-sessions', 'ada', '--remote', '--preview'], (path) => {
    if (path.includes('/query')) return [{ results: [{ id: 'ada1', epoch: 2 }] }, { results: [] }];
    return path.includes('/keys') ? [{ name: 'session:ada1.first', metadata: { epoch: 1 } }] : {};
  });
  expect(outcome.out).toBe(
    'Ended every session of ada in the deployed preview stores: 1 session record deleted from KV.\n',
  );
  expect(outcome.code).toBe(0);
  const d1 = '/accounts/account/d1/database/00000000-0000-0000-0000-000000000001';
  const kv = '/accounts/account/storage/kv/namespaces/00000000000000000000000000000001';
  expect(calls).toEqual([
    expect.stringMatching(new RegExp(`^POST ${d1}/query .*username = 'ada'`)),
    `GET ${kv}/keys?prefix=session%3Aada1.`,
    `DELETE ${kv}/bulk ["session:ada1.first"]`,
  ]);
});

it('export reads the deployed stores with --remote, including records without metadata', async () => {
  const record = {
    id: `ada1.${'A'.repeat(43)}`,
    user_id: 'ada1',
    epoch: 4,
    created_at: Date.now(),
    idle_expires: Date.now() + 3_600_000,
  };
  const name = `session:${record.id}`;
  const file = join(folder, 'remote.export.ndjson');
  const { outcome } = await adminRemote(['export', file, '--remote'], (path) => {
    if (path.endsWith('/query')) {
      return [
        { results: [{ row: 1, id: 'ada1', username: 'ada', session_epoch: 4, created_at: 0 }] },
        { results: [{ row: 1, id: 'username:ada', user_id: 'ada1', hashed_password: 's2:a:b' }] },
        { results: [] },
      ];
    }
    return path.endsWith('/bulk/get') ? { values: { [name]: JSON.stringify(record) } } : [{ name }];
  });
  expect(outcome).toMatchObject({ code: 0, error: '' });
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['export', 'user', 'key', 'session']);
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ user_id: 'ada1', token_sha256: '0'.repeat(64) });
});

it('a database without tables is reported with the fix', async () => {
  const { code, error } = await admin(['purge', '--persist-to', folder]);
  expect(error).toContain('Apply the migrations first: "npm run db:migrate".');
  expect(code).toBe(1);
});

it('purge deletes a bounded number of rows at a time until none is left', async () => {
  const rows = 12_345;
  const left: Record<string, number> = { RevokedSession: 0, SignInThrottle: rows, SecurityEvent: 5_000 };
  const { outcome, calls } = await adminRemote(['purge', '--remote'], (_path, body) => {
    const table = Object.keys(left).find((name) => body.includes(`DELETE FROM ${name} `)) ?? '';
    const limit = Number(/LIMIT (\d+)\)/.exec(body)?.[1] ?? Infinity);
    const deleted = Math.min(limit, left[table] ?? 0);
    left[table] = (left[table] ?? 0) - deleted;
    return [{ results: Array.from({ length: deleted }, () => ({ 1: 1 })), success: true, meta: {} }];
  });
  expect(outcome.out).toContain(
    `0 expired ledger rows, 0 expired device keys, ${rows} expired throttle rows and 5000 events older than 90 days`,
  );
  expect(left).toMatchObject({ RevokedSession: 0, SignInThrottle: 0, SecurityEvent: 0 });
  const deletions = calls.filter((call) => call.includes('DELETE FROM'));
  // Ledger, device keys, throttle, events.
  expect(deletions).toHaveLength(1 + 1 + 3 + 2);
  for (const statement of deletions) expect(statement).toMatch(/DELETE FROM .* LIMIT 5000\)/);
});

it('purge deletes every KV record that deleted accounts left, and no other user’s', async () => {
  await migrate(folder);
  const kept = ['session:dan12.first', 'user_sessions:dan12', 'session:eve1.of-someone-who-lives'];
  await withStores(folder, async ({ DB, SESSIONS }) => {
    await DB.exec(`INSERT INTO Leftover (user_id, since) VALUES ('dan1', 1), ('joe1', ${Date.now()})`);
    const left = Array.from({ length: 101 }, (_, i) => `session:dan1.${i}`);
    const keys = [...left, 'user_sessions:dan1', 'session:joe1.first', ...kept];
    await Promise.all(keys.map((key) => SESSIONS.put(key, 'not a session')));
  });
  const { code, out, error } = await admin(['purge', '--persist-to', folder]);
  expect({ code, error }).toEqual({ code: 0, error: '' });
  expect(out.split('\n').slice(1)).toEqual([
    'Deleted from the local stores: 102 session records of 2 deleted accounts.',
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
});
