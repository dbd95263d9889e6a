/**
 * `npm run admin -- <command>`: what an operator needs now and then, on the stores themselves.
 *
 *   end-sessions <username>   ends every session of a user, everywhere, at once
 *   purge                     deletes what is past its time, and what deleted accounts left in KV
 *   export [file]             writes users, keys and sessions to a file: docs/leaving-lucia.md
 *
 * It works on this machine's stores; --remote takes the deployed ones, --preview those of [env.preview], --persist-to
 * another state folder than .wrangler/state. Everything goes through wrangler's own commands, which reach both kinds
 * alike and bring the operator's sign-in to Cloudflare with them.
 */
import { resolve } from 'node:path';
import { command } from './lib/command.mjs';
import { StepFailed } from './lib/processes.mjs';
import { STATE_FOLDER } from './lib/steps.mjs';
import { counted, listKeys, nameOf, query, wranglerWithList } from './lib/stores.mjs';

const usage = `Usage:
  npm run admin -- end-sessions <username> [options]   ends every session of a user, everywhere, at once
  npm run admin -- purge [options]                     deletes rows past their time, and records of deleted accounts
  npm run admin -- export [file] [options]             writes users, keys and sessions to a file (accounts.export.ndjson)

Options:
  --remote           the deployed stores instead of this machine's
  --preview          the stores of [env.preview]
  --persist-to DIR   this machine's stores under DIR (${STATE_FOLDER})`;

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;
/** TypeScript, which the Node that may be there before `npm ci` does not run: so it is imported when it is used. */
const POLICY = '../src/lib/server/policy.ts';

/** D1 answers nothing else while a statement runs. */
const ROWS_DELETED_AT_ONCE = 5_000;

const USER_ID = /^[A-Za-z0-9_-]+$/;

/** @typedef {import('./lib/stores.mjs').Target} Target */

const options = /** @type {const} */ ({
  remote: { type: 'boolean' },
  preview: { type: 'boolean' },
  'persist-to': { type: 'string' },
});

await command({ usage, options, operands: true }, async (values, [name, ...operands]) => {
  const target = {
    remote: values.remote === true,
    preview: values.preview === true,
    stateFolder: resolve(String(values['persist-to'] ?? STATE_FOLDER)),
  };
  if (target.remote && values['persist-to'] !== undefined) {
    throw new StepFailed('--persist-to is for stores on this machine: leave it out with --remote.');
  }
  const [operand] = operands;
  if (name === 'purge' && operands.length === 0) {
    await purge(target);
    const { removeLeftovers } = await import('./lib/leftovers.mjs');
    return removeLeftovers(target);
  }
  if (name === 'export' && operands.length <= 1) {
    const { EXPORT_FILE, exportAccounts, requireExportFile } = await import('./lib/export-accounts.mjs');
    return exportAccounts(target, requireExportFile(operand ?? EXPORT_FILE));
  }
  if (name === 'end-sessions' && operand && operands.length === 1) {
    return endSessions(target, await requireUsername(operand));
  }
  throw new StepFailed(usage);
});

/**
 * The username as it is stored; throws when no user can have it. Wrangler takes SQL as text only, so nothing that could end a literal
 * may go into one.
 * @param {string} typed
 */
async function requireUsername(typed) {
  const { USERNAME_MIN_CHARACTERS: min, USERNAME_MAX_CHARACTERS: max } = await import(POLICY);
  const username = typed.trim().toLowerCase();
  if (new RegExp(`^[a-z0-9][a-z0-9._-]{${min - 1},${max - 1}}$`).test(username)) return username;
  throw new StepFailed(`No user can be called ${JSON.stringify(typed)}. Nothing was changed.`);
}

/**
 * Raises the user's epoch, which ends every session in one write, and then takes their records out of KV. The second
 * is tidying: a record that stays is refused, and expires by itself.
 * @param {Target} target
 * @param {string} username
 */
async function endSessions(target, username) {
  const user = await raiseEpoch(target, username);
  if (!user) {
    throw new StepFailed(`There is no user ${username} in ${nameOf(target)}. Nothing was changed.`);
  }
  const ended = `Ended every session of ${username} in ${nameOf(target)}`;
  try {
    const count = await deleteRecords(target, user);
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
 * @param {Target} target
 * @param {string} username
 * @returns {Promise<{ id: string, epoch: number } | null>}
 */
async function raiseEpoch(target, username) {
  const device = JSON.stringify({ browser: null, system: null, kind: 'unknown' });
  const place = JSON.stringify({ country: null, city: null });
  const [raised] = await query(
    target,
    `UPDATE User SET session_epoch = session_epoch + 1 WHERE username = '${username}' RETURNING id, session_epoch AS epoch`,
    `INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at)
     SELECT id, 'ended-by-operator', NULL, '${device}', '${place}', ${Date.now()} FROM User WHERE username = '${username}'`,
  );
  const row = raised?.[0];
  return row ? { id: String(row.id), epoch: Number(row.epoch) } : null;
}

/**
 * Deletes the records of sessions from before the new epoch: the user may have signed in again meanwhile. The layout
 * `index` keeps no metadata, so there such a sign-in has to be repeated.
 * @param {Target} target
 * @param {{ id: string, epoch: number }} user
 * @returns {Promise<number>} how many there were
 */
async function deleteRecords(target, { id, epoch }) {
  if (!USER_ID.test(id)) throw new StepFailed(`The user id ${JSON.stringify(id)} is not one of this app's.`);
  const keys = await listKeys(target, `session:${id}.`);
  const names = keys.filter(({ metadata }) => !(epochIn(metadata) >= epoch)).map(({ name }) => name);
  if (names.length === 0) return 0;
  await wranglerWithList(target, ['kv', 'bulk', 'delete'], names, ['--force', '--binding', 'SESSIONS']);
  return names.length;
}

/**
 * The epoch in a key's metadata; 0 where there is none.
 * @param {unknown} metadata
 */
function epochIn(metadata) {
  return metadata instanceof Object && 'epoch' in metadata ? Number(metadata.epoch) : 0;
}

/**
 * Deletes what is past its time, step after step: sign-ins do so too, some rows at a time. Ended half-way, it has done as much,
 * and goes on when it is run again.
 * @param {Target} target
 */
async function purge(target) {
  const { EVENTS_KEPT_MILLISECONDS, EVENTS_STORED_MILLISECONDS } = await import(POLICY);
  const now = Date.now();
  const days = EVENTS_KEPT_MILLISECONDS / DAY_MILLISECONDS;
  const steps = [
    { what: 'expired ledger row', run: deleteRows('RevokedSession', `expires_at <= ${now}`) },
    { what: 'expired throttle row', run: deleteRows('SignInThrottle', `expires_at <= ${now}`) },
    {
      what: 'event',
      beyond: ` older than ${days} days`,
      run: deleteRows('SecurityEvent', `at <= ${now - EVENTS_STORED_MILLISECONDS}`),
    },
  ];
  const deleted = [];
  for (const { what, beyond = '', run } of steps) deleted.push(counted(await run(target), what) + beyond);
  console.log(`Deleted from ${nameOf(target)}: ${new Intl.ListFormat('en-GB').format(deleted)}.`);
}

/**
 * A step of `purge` that deletes the rows of a table that meet a condition, a bounded number with each statement.
 * @param {string} table
 * @param {string} condition in SQL
 * @returns {(target: Target) => Promise<number>} resolves with how many rows there were
 */
function deleteRows(table, condition) {
  return async (target) => {
    for (let total = 0; ;) {
      // D1's SQLite knows no DELETE … LIMIT.
      const [rows = []] = await query(
        target,
        `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${condition} LIMIT ${ROWS_DELETED_AT_ONCE}) RETURNING 1`,
      );
      total += rows.length;
      if (rows.length < ROWS_DELETED_AT_ONCE) return total;
    }
  };
}
