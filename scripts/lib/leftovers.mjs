/** What deleted accounts left in KV: all of it at once, where a sign-in takes a step (src/lib/server/sessions/leftovers.ts). */
import { KV_LIST_LATE_MILLISECONDS } from '../../src/lib/server/policy.ts';
import { StepFailed } from './processes.mjs';
import { counted, listKeys, nameOf, query, wranglerWithList } from './stores.mjs';

/** Nothing in it could end a literal of the SQL that names it. */
const USER_ID = /^[A-Za-z0-9_-]+$/;

/**
 * Deletes every KV record of each deleted account that has a marker, and the markers. One of the last minutes stays, as KV's
 * list may not show all of its account's records yet. Prints what it did, if there was something to do.
 * @param {import('./stores.mjs').Target} target
 */
export async function removeLeftovers(target) {
  const latest = Date.now() - KV_LIST_LATE_MILLISECONDS;
  const [rows = []] = await query(target, 'SELECT user_id, since FROM Leftover ORDER BY since');
  if (rows.length === 0) return;
  const accounts = rows.map(({ user_id, since }) => ({ id: requireUserId(user_id), since: Number(since) }));
  const records = [];
  // A user id has no dot, so nobody else's keys begin so.
  for (const { id } of accounts) records.push(...(await listKeys(target, `session:${id}.`)));
  const names = [...records.map(({ name }) => name), ...accounts.map(({ id }) => `user_sessions:${id}`)];
  await wranglerWithList(target, ['kv', 'bulk', 'delete'], names, ['--force', '--binding', 'SESSIONS']);
  const old = accounts.filter(({ since }) => since <= latest);
  if (old.length > 0) {
    const ids = old.map(({ id }) => `'${id}'`).join();
    await query(target, `DELETE FROM Leftover WHERE user_id IN (${ids})`);
  }
  console.log(
    `Deleted from ${nameOf(target)}: ${counted(records.length, 'session record')} of ${counted(accounts.length, 'deleted account')}.`,
  );
  const young = accounts.length - old.length;
  if (young > 0) {
    const minutes = KV_LIST_LATE_MILLISECONDS / 60_000;
    console.log(
      `${young} of them in the last ${minutes} minutes: KV may not list all of those records yet, so run this again later.`,
    );
  }
}

/** @param {unknown} id */
function requireUserId(id) {
  const userId = String(id);
  if (USER_ID.test(userId)) return userId;
  throw new StepFailed(`The user id ${JSON.stringify(userId)} is not one of this app's.`);
}
