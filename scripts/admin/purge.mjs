/** `npm run admin -- purge`: deletes at once what sign-ins delete some rows at a time. */
import {
  EVENTS_KEPT_MILLISECONDS,
  EVENTS_STORED_MILLISECONDS,
  KV_LIST_LATE_MILLISECONDS,
} from '../../src/lib/server/policy.ts';
import { counted, requireUserId } from './stores.mjs';

/** @typedef {import('./stores.mjs').Stores} Stores */

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;
/** D1 answers nothing else while a statement runs. */
const ROWS_DELETED_AT_ONCE = 5_000;

/**
 * Deletes expired rows, table by table, and then what deleted accounts left in KV. If it is interrupted, what was deleted stays deleted,
 * and the next run continues.
 *
 * @param {Stores} stores
 */
export async function purge(stores) {
  const now = Date.now();
  const days = EVENTS_KEPT_MILLISECONDS / DAY_MILLISECONDS;
  const deleted = [
    counted(await deleteRows(stores, 'RevokedSession', `expires_at <= ${now}`), 'expired ledger row'),
    counted(await deleteRows(stores, 'DeviceKey', `expires_at <= ${now}`), 'expired device key'),
    counted(await deleteRows(stores, 'SignInThrottle', `expires_at <= ${now}`), 'expired throttle row'),
    counted(await deleteRows(stores, 'SecurityEvent', `at <= ${now - EVENTS_STORED_MILLISECONDS}`), 'event') +
      ` older than ${days} days`,
  ];
  console.log(`Deleted from ${stores.name}: ${new Intl.ListFormat('en-GB').format(deleted)}.`);
  await removeLeftovers(stores);
}

/**
 * Deletes the rows of a table that meet a condition, a limited number per statement.
 *
 * @param {Stores} stores
 * @param {string} table
 * @param {string} condition in SQL
 * @returns {Promise<number>} how many there were
 */
async function deleteRows(stores, table, condition) {
  // D1's SQLite has no DELETE … LIMIT.
  const some = `SELECT rowid FROM ${table} WHERE ${condition} LIMIT ${ROWS_DELETED_AT_ONCE}`;
  for (let total = 0; ;) {
    const [rows = []] = await stores.query(`DELETE FROM ${table} WHERE rowid IN (${some}) RETURNING 1`);
    total += rows.length;
    if (rows.length < ROWS_DELETED_AT_ONCE) return total;
  }
}

/**
 * Deletes every KV record of each deleted account that has a marker (src/lib/server/sessions/leftovers.ts), and the markers. Markers from
 * the last minutes stay, because KV's list may not show all of their accounts' records yet.
 *
 * @param {Stores} stores
 */
async function removeLeftovers(stores) {
  const latest = Date.now() - KV_LIST_LATE_MILLISECONDS;
  const [rows = []] = await stores.query('SELECT user_id, since FROM Leftover ORDER BY since');
  if (rows.length === 0) return;
  const accounts = rows.map(({ user_id, since }) => ({ id: requireUserId(user_id), since: Number(since) }));
  const records = [];
  // A user id contains no dot, so nobody else's keys begin like this.
  for (const { id } of accounts) records.push(...(await stores.keys(`session:${id}.`)));
  await stores.deleteKeys([
    ...records.map(({ name }) => name),
    ...accounts.map(({ id }) => `user_sessions:${id}`),
  ]);
  const old = accounts.filter(({ since }) => since <= latest);
  if (old.length > 0) {
    const ids = old.map(({ id }) => `'${id}'`).join();
    await stores.query(`DELETE FROM Leftover WHERE user_id IN (${ids})`);
  }
  console.log(
    `Deleted from ${stores.name}: ${counted(records.length, 'session record')} of ${counted(accounts.length, 'deleted account')}.`,
  );
  const young = accounts.length - old.length;
  if (young > 0) {
    const minutes = KV_LIST_LATE_MILLISECONDS / 60_000;
    console.log(
      `${young} of them in the last ${minutes} minutes: KV may not list all of those records yet, so run this again later.`,
    );
  }
}
