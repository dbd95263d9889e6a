import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../../scripts/lib/steps.mjs';
import { EVENTS_STORED_MILLISECONDS } from '$lib/server/policy';
import { admin, TEST_MILLISECONDS, withStores } from './admin-command';

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

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'admin-'));
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
}, TEST_MILLISECONDS);

afterAll(() => rm(folder, { recursive: true }));

const epochs = ({ DB }: Cloudflare.Env) =>
  DB.prepare('SELECT username, session_epoch AS epoch FROM User ORDER BY username').all();

describe('npm run admin -- end-sessions', { timeout: TEST_MILLISECONDS }, () => {
  it('end-sessions runs no SQL that a username contains, and says if there is no such user', async () => {
    const usernames = [
      "x' OR '1'='1",
      "ada'; DELETE FROM User; --",
      'ada" --',
      'ad%',
      'ad',
      'a'.repeat(65),
      '-ada',
    ];
    const outcomes = usernames.map(async (username) => {
      expect(await admin(['end-sessions', '--persist-to', folder, '--', username])).toEqual({
        code: 1,
        out: '',
        error: `No user can be called ${JSON.stringify(username)}. Nothing was changed.\n`,
      });
    });
    await Promise.all(outcomes);
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

  it('end-sessions ends every session of that user and of nobody else, and says so', async () => {
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
});

describe('npm run admin -- purge', { timeout: TEST_MILLISECONDS }, () => {
  it('purge deletes what has expired and nothing else, and says how much', async () => {
    const now = Date.now();
    const soon = now + 3_600_000;
    const young = now - EVENTS_STORED_MILLISECONDS + 3_600_000;
    const old = now - EVENTS_STORED_MILLISECONDS;
    await withStores(folder, async ({ DB }) => {
      await DB.exec('DELETE FROM SecurityEvent');
      await DB.exec(
        `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason) VALUES ('r1', 'bob1', 0, ${now}, 'revoked'), ('r2', 'bob1', 0, ${soon}, 'revoked'), ('r3', 'bob1', 0, 1, 'revoked')`,
      );
      await DB.exec(
        `INSERT INTO DeviceKey (id, session_id, user_id, epoch, public_key, created_at, expires_at) VALUES ('k1', 's1', 'bob1', 0, '{}', 0, ${now}), ('k2', 's2', 'bob1', 0, '{}', 0, ${soon})`,
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
      out: 'Deleted from the local stores: 2 expired ledger rows, 1 expired device key, 1 expired throttle row and 1 event older than 90 days.\n',
      error: '',
    });
    const left = await withStores(folder, async ({ DB }) => {
      const tables = [
        'SELECT id FROM RevokedSession',
        'SELECT id FROM DeviceKey',
        'SELECT id FROM SignInThrottle',
        'SELECT type FROM SecurityEvent',
      ];
      const results = await DB.batch(tables.map((sql) => DB.prepare(sql)));
      return results.map(({ results }) => results);
    });
    expect(left).toEqual([[{ id: 'r2' }], [{ id: 'k2' }], [{ id: 't2' }], [{ type: 'signed-out' }]]);
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
  ])('npm run admin %j explains the usage and does nothing', async (args) => {
    const { code, out, error } = await admin(args);
    expect(error).toMatch(/Usage:|leave it out with --remote/);
    expect({ code, out }).toEqual({ code: 1, out: '' });
  });
});
