/** What a Worker's cron deletes, on the real KV and D1. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import {
  CRON_PURGE_ROUNDS,
  EVENTS_STORED_MILLISECONDS,
  KV_LIST_LATE_MILLISECONDS,
  PURGE_ROWS_AT_ONCE,
} from '$lib/server/policy';
import { purge } from '$lib/server/purge';

const HOUR_MILLISECONDS = 3_600_000;

async function count(table: string): Promise<number> {
  return Number(await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first('n'));
}

/** Fills `RevokedSession` with rows that ended at `at`. */
async function putEnded(prefix: string, rows: number, at: number): Promise<void> {
  await env.DB.prepare(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
     INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason) SELECT ?2 || i, 'ada1', 0, ?3, 'revoked' FROM n`,
  )
    .bind(rows, prefix, at)
    .run();
}

it('a purge deletes what has expired and nothing else, a bounded number of rows in a run', async () => {
  const now = Date.now();
  const most = CRON_PURGE_ROUNDS * PURGE_ROWS_AT_ONCE;
  await env.DB.exec("INSERT INTO User (id, username) VALUES ('ada1', 'ada')");
  await putEnded('old-', most + 5, now - 1);
  await putEnded('young-', 2, now + HOUR_MILLISECONDS);
  await env.DB.exec(
    `INSERT INTO SignInThrottle (id, failures, blocked_until, expires_at) VALUES ('t1', 1, 0, ${now - 1}), ('t2', 1, 0, ${now + HOUR_MILLISECONDS})`,
  );
  await env.DB.exec(
    `INSERT INTO SecurityEvent (user_id, type, device, place, at) VALUES ('ada1', 'signed-in', '{}', '{}', ${now - EVENTS_STORED_MILLISECONDS - 1}), ('ada1', 'signed-out', '{}', '{}', ${now})`,
  );

  await purge(env);
  expect(await count('RevokedSession')).toBe(5 + 2);
  expect(await count('SignInThrottle')).toBe(1);
  expect(await count('SecurityEvent')).toBe(1);

  await purge(env);
  expect(await count('RevokedSession')).toBe(2);
});

it('a purge takes a step at the KV records that a deleted account left', async () => {
  const since = Date.now() - KV_LIST_LATE_MILLISECONDS - 1;
  await env.DB.exec(`INSERT INTO Leftover (user_id, since) VALUES ('dan1', ${since})`);
  await Promise.all(
    ['session:dan1.a', 'session:dan1.b', 'session:eve1.a'].map((key) => env.SESSIONS.put(key, '{}')),
  );

  // The step that deletes, and the one that finds nothing left.
  await purge(env);
  await purge(env);

  const { keys } = await env.SESSIONS.list({ prefix: 'session:' });
  expect(keys.map(({ name }) => name)).toEqual(['session:eve1.a']);
  expect(await count('Leftover')).toBe(0);
});
