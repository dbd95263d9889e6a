/** `npm run admin -- end-sessions <username>`: ends every session of a user, everywhere, at once. */
import { USERNAME_MAX_CHARACTERS, USERNAME_MIN_CHARACTERS } from '../../src/lib/server/policy.ts';
import { StepFailed } from '../lib/processes.mjs';
import { counted, requireUserId } from './stores.mjs';

/** @typedef {import('./stores.mjs').Stores} Stores */

/**
 * Raises the user's epoch, which ends every session in one write, and then deletes their records from KV. The second step is only cleanup:
 * a record that stays is refused, and expires by itself.
 *
 * @param {Stores} stores
 * @param {string} typed
 */
export async function endSessions(stores, typed) {
  const username = requireUsername(typed);
  const user = await raiseEpoch(stores, username);
  if (!user) throw new StepFailed(`There is no user ${username} in ${stores.name}. Nothing was changed.`);
  const ended = `Ended every session of ${username} in ${stores.name}`;
  try {
    const count = await deleteRecords(stores, user);
    console.log(`${ended}: ${counted(count, 'session record')} deleted from KV.`);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    console.log(`${ended}.`);
    console.warn(
      `Warning: their records are still in KV. They are refused all the same, and expire by themselves; run this again to delete them.\n${error.message}`,
    );
  }
}

/**
 * Returns the username as it is stored. Throws if no user can have it. Wrangler takes SQL only as text, so nothing that could end a literal
 * may go into one.
 *
 * @param {string} typed
 */
function requireUsername(typed) {
  const username = typed.trim().toLowerCase();
  const rest = `{${USERNAME_MIN_CHARACTERS - 1},${USERNAME_MAX_CHARACTERS - 1}}`;
  if (new RegExp(`^[a-z0-9][a-z0-9._-]${rest}$`).test(username)) return username;
  throw new StepFailed(`No user can be called ${JSON.stringify(typed)}. Nothing was changed.`);
}

/**
 * @param {Stores} stores
 * @param {string} username
 * @returns {Promise<{ id: string, epoch: number } | null>}
 */
async function raiseEpoch(stores, username) {
  const device = JSON.stringify({ browser: null, system: null, kind: 'unknown' });
  const place = JSON.stringify({ country: null, city: null });
  const [raised] = await stores.query(
    `UPDATE User SET session_epoch = session_epoch + 1 WHERE username = '${username}' RETURNING id, session_epoch AS epoch`,
    `INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at)
     SELECT id, 'ended-by-operator', NULL, '${device}', '${place}', ${Date.now()} FROM User WHERE username = '${username}'`,
  );
  const row = raised?.[0];
  return row ? { id: String(row.id), epoch: Number(row.epoch) } : null;
}

/**
 * Deletes only records from before the new epoch, because the user may have signed in again meanwhile. The layout `index` stores no
 * metadata, so there such a sign-in has to be repeated.
 *
 * @param {Stores} stores
 * @param {{ id: string, epoch: number }} user
 * @returns {Promise<number>} how many there were
 */
async function deleteRecords(stores, { id, epoch }) {
  const keys = await stores.keys(`session:${requireUserId(id)}.`);
  const names = keys.filter(({ metadata }) => !(epochIn(metadata) >= epoch)).map(({ name }) => name);
  await stores.deleteKeys(names);
  return names.length;
}

/**
 * The epoch in a key's metadata, or 0 if there is none.
 *
 * @param {unknown} metadata
 */
function epochIn(metadata) {
  return metadata instanceof Object && 'epoch' in metadata ? Number(metadata.epoch) : 0;
}
