/**
 * Deletes the KV records of deleted accounts.
 *
 * The D1 write that deletes an account ends its sessions. Their KV records still hold a name, devices and places, so they must be deleted,
 * too. That includes records of sessions that ended long ago, if an earlier delete was lost. There may be more of them than one request may
 * delete. So the D1 write leaves a marker, a row in `Leftover`. After its response, the deletion takes the first step. While the marker
 * exists, each sign-in and sign-up takes another step. `npm run admin -- purge` does all the rest.
 */
import { randomInt } from 'node:crypto';
import { prepare, sql, type Sql } from '../stores/sql';
import { sessionOwner } from '../kv-adapter';
import { BIRTHS } from './activity';
import type { Stores } from '../stores/guarded';
import {
  BACKGROUND_DELETES_AT_ONCE,
  KV_LIST_LATE_MILLISECONDS,
  LEFTOVER_OPERATIONS_PER_STEP,
} from '../policy';

/**
 * The statement that reads which sessions of a user D1 saw begin recently, in a sign-in or a rotation. KV's list may not show them yet, so
 * they are deleted by key. Put it before the deletion in its batch, because the rows that it reads are deleted with the user.
 */
export function selectLateSessions(db: D1Database, userId: string, now: number): D1PreparedStatement {
  const since = now - KV_LIST_LATE_MILLISECONDS;
  const [signUp, ...signIns] = BIRTHS;
  return prepare(
    db,
    sql`SELECT session_id FROM SecurityEvent
        WHERE user_id = ${userId} AND at > ${since} AND type IN (${signUp}, ${signIns[0]}, ${signIns[1]})
        UNION SELECT replaced_by FROM RevokedSession
        WHERE user_id = ${userId} AND revoked_at > ${since} AND replaced_by IS NOT NULL
        LIMIT ${LEFTOVER_OPERATIONS_PER_STEP}`,
  );
}

/**
 * The statement that leaves the marker for the user that `condition` finds (in terms of `User`). Put it before the deletion in its batch,
 * under the same condition, so that both happen or neither.
 */
export function markLeftovers(db: D1Database, now: number, condition: Sql): D1PreparedStatement {
  return prepare(
    db,
    sql`INSERT INTO Leftover (user_id, since) SELECT User.id, ${now} FROM User WHERE ${condition}`,
  );
}

/** The statement that reads the oldest marker. A sign-in or sign-up adds it to a batch that it sends anyway. */
export function selectLeftover(db: D1Database): D1PreparedStatement {
  return prepare(db, sql`SELECT user_id AS leftover FROM Leftover ORDER BY since LIMIT 1`);
}

/** Returns the deleted user whose marker a batch with these results has read, or `null`. */
export function leftoverIn(results: D1Result<object>[]): string | null {
  for (const { results: rows } of results) {
    const [row] = rows;
    if (row && 'leftover' in row && typeof row.leftover === 'string') return row.leftover;
  }
  return null;
}

/**
 * Takes one step: deletes records of a deleted user with at most `LEFTOVER_OPERATIONS_PER_STEP` KV operations, and the marker once nothing
 * is left. Never throws: a failure is logged, and the marker stays for another step.
 *
 * @param lateSessions the sessions that KV's list may not show yet. Only the deletion itself knows them. Without them, an empty list proves
 *   nothing until `KV_LIST_LATE_MILLISECONDS` after the deletion, when KV is certain to list them.
 */
export async function removeLeftovers(
  { kv, db }: Pick<Stores, 'kv' | 'db'>,
  userId: string,
  lateSessions?: string[],
): Promise<void> {
  const latest = lateSessions ? Date.now() : Date.now() - KV_LIST_LATE_MILLISECONDS;
  try {
    const { clean, failed } = await deleteRecords(kv, userId, lateSessions ?? []);
    if (!clean) {
      // The late sessions are deleted. Everything else is in the list, so a later step may rely on it.
      if (lateSessions && !failed)
        await prepare(db, sql`UPDATE Leftover SET since = 0 WHERE user_id = ${userId}`).run();
      return;
    }
    await prepare(db, sql`DELETE FROM Leftover WHERE user_id = ${userId} AND since <= ${latest}`).run();
  } catch (error) {
    stepFailed(error);
  }
}

/**
 * Deletes records of a user without reading them: each key under the user's prefix, which both layouts share, and the index record of
 * layout `index`, because the app may have used that layout before. `clean`: KV shows no other records and accepted every delete. `failed`:
 * KV did not accept one of the deletes.
 */
async function deleteRecords(
  kv: KVNamespace,
  userId: string,
  sessionIds: string[],
): Promise<{ clean: boolean; failed: boolean }> {
  const known = [...sessionIds.filter(isOf(userId)).map(sessionKey), `user_sessions:${userId}`];
  const { keys, lists, complete } = await listKeys(kv, userId, LEFTOVER_OPERATIONS_PER_STEP - known.length);
  // Starts anywhere in the list, so that two steps at the same time seldom delete the same keys. A step whose list is late also seldom
  // repeats the deletes of the step before it.
  const start = keys.length === 0 ? 0 : randomInt(keys.length);
  const all = [...new Set([...known, ...keys.slice(start), ...keys.slice(0, start)])];
  const some = all.slice(0, Math.max(0, LEFTOVER_OPERATIONS_PER_STEP - lists));
  const isEach = await deleteEach(kv, some);
  return { clean: complete && isEach && some.length === all.length, failed: !isEach };
}

/** Lists the keys of a user's session records: as many pages as `operations` allow, or the pages before one that fails. */
async function listKeys(kv: KVNamespace, userId: string, operations: number) {
  const keys: string[] = [];
  let lists = 0;
  let complete = false;
  try {
    for (let cursor: string | undefined; !complete && lists + keys.length < operations;) {
      lists += 1;
      const page = await kv.list({ prefix: sessionKey(`${userId}.`), cursor });
      const ids = page.keys.map(({ name }) => name.slice(sessionKey('').length));
      keys.push(...ids.filter(isOf(userId)).map(sessionKey));
      complete = page.list_complete;
      cursor = page.list_complete ? undefined : page.cursor;
    }
  } catch (error) {
    stepFailed(error);
  }
  return { keys, lists, complete };
}

/** Returns true if KV accepted every delete. */
async function deleteEach(kv: KVNamespace, keys: string[]): Promise<boolean> {
  const left = [...keys];
  const failures: unknown[] = [];
  const worker = async () => {
    // Stops after a failure: a request that has used up its operations (free plan: 50) gets nothing more done.
    for (let key = left.shift(); key && failures.length === 0; key = left.shift()) {
      await kv.delete(key).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: BACKGROUND_DELETES_AT_ONCE }, worker));
  if (failures.length > 0) stepFailed(failures[0]);
  return failures.length === 0;
}

const sessionKey = (sessionId: string) => `session:${sessionId}`;

/** Another user's id may begin with this one. Only the part before the last dot tells whose session it is. */
const isOf = (userId: string) => (sessionId: string) => sessionOwner(sessionId) === userId;

/** Only logs: the marker stays, so another step will try again. */
function stepFailed(error: unknown): void {
  console.warn(JSON.stringify({ event: 'leftovers-kept', message: String(error) }));
}
