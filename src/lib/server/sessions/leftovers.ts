/**
 * Removes the KV records of deleted accounts.
 *
 * The D1 write that deletes an account ends its sessions. Their records in KV still hold a name, devices and places, and
 * have to go too: also those of sessions that ended long ago, where an earlier delete was lost. There may be more of them
 * than one request may delete. So that write leaves a marker, a row in `Leftover`. The deletion itself takes the first
 * step after its answer; while the marker is there, each sign-in and sign-up takes one more, and
 * `npm run admin -- purge` does all the rest.
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
 * The statement that reads which sessions of a user D1 saw begin lately, in a sign-in or a rotation. KV's list may not show them yet, so
 * they are deleted by key. Goes before the deletion in its batch: their rows go with the user.
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
 * The statement that leaves the marker, for the user that `condition` finds (in terms of `User`). Goes before the deletion in its batch,
 * under the same condition: so there are both or neither.
 */
export function markLeftovers(db: D1Database, now: number, condition: Sql): D1PreparedStatement {
  return prepare(
    db,
    sql`INSERT INTO Leftover (user_id, since) SELECT User.id, ${now} FROM User WHERE ${condition}`,
  );
}

/** The statement that reads the oldest marker. A sign-in or sign-up has it in a batch that it makes anyway. */
export function selectLeftover(db: D1Database): D1PreparedStatement {
  return prepare(db, sql`SELECT user_id AS leftover FROM Leftover ORDER BY since LIMIT 1`);
}

/** The deleted user whose marker was read in a batch with these results, or `null`. */
export function leftoverIn(results: D1Result<object>[]): string | null {
  for (const { results: rows } of results) {
    const [row] = rows;
    if (row && 'leftover' in row && typeof row.leftover === 'string') return row.leftover;
  }
  return null;
}

/**
 * One step: deletes records of a deleted user, with at most `LEFTOVER_OPERATIONS_PER_STEP` KV operations, and the marker
 * once nothing is left. Never throws: what fails is logged, and the marker stays for another step.
 *
 * @param lateSessions the sessions that KV's list may not show yet. Only the deletion itself knows them. Without them an
 *   empty list proves nothing until it is certain to show them, `KV_LIST_LATE_MILLISECONDS` after the deletion.
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
      // The late ones are gone: what is left is in the list, and a later step may believe it.
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
 * Deletes records of a user, whatever they hold: each key under the user's prefix, which both layouts share, and the index
 * record of layout `index`, as the layout may have been another one before. `clean`: KV shows no other, and took every delete; `failed`: it
 * did not take one.
 */
async function deleteRecords(
  kv: KVNamespace,
  userId: string,
  sessionIds: string[],
): Promise<{ clean: boolean; failed: boolean }> {
  const known = [...sessionIds.filter(isOf(userId)).map(sessionKey), `user_sessions:${userId}`];
  const { keys, lists, complete } = await listKeys(kv, userId, LEFTOVER_OPERATIONS_PER_STEP - known.length);
  // From anywhere in the list: two steps at once then seldom delete the same keys, nor does one whose list is late
  // delete again what the step before it did.
  const start = keys.length === 0 ? 0 : randomInt(keys.length);
  const all = [...new Set([...known, ...keys.slice(start), ...keys.slice(0, start)])];
  const some = all.slice(0, Math.max(0, LEFTOVER_OPERATIONS_PER_STEP - lists));
  const isEach = await deleteEach(kv, some);
  return { clean: complete && isEach && some.length === all.length, failed: !isEach };
}

/** The keys of a user's session records: the pages that `operations` allow, or those before one that KV does not give. */
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

/** True if KV took every delete. */
async function deleteEach(kv: KVNamespace, keys: string[]): Promise<boolean> {
  const left = [...keys];
  const failures: unknown[] = [];
  const worker = async () => {
    // A request that has used up its operations (free plan: 50) gets nothing more done.
    for (let key = left.shift(); key && failures.length === 0; key = left.shift()) {
      await kv.delete(key).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: BACKGROUND_DELETES_AT_ONCE }, worker));
  if (failures.length > 0) stepFailed(failures[0]);
  return failures.length === 0;
}

const sessionKey = (sessionId: string) => `session:${sessionId}`;

/** Another user's id may begin with this one: only what comes before the last dot tells whose a session is. */
const isOf = (userId: string) => (sessionId: string) => sessionOwner(sessionId) === userId;

/** The marker stays, so another step will do it. */
function stepFailed(error: unknown): void {
  console.warn(JSON.stringify({ event: 'leftovers-kept', message: String(error) }));
}
