/**
 * Exports everything that another system needs to take over the accounts, one JSON object per line: docs/leaving-lucia.md. The file
 * contains password hashes. So only its owner can read it, git ignores its name, and it is never printed.
 */
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { ABSOLUTE_PERIOD_MILLISECONDS, SCRYPT } from '../../src/lib/server/policy.ts';
import { StepFailed } from '../lib/processes.mjs';
import { counted } from './stores.mjs';

/** @typedef {import('./stores.mjs').Stores} Stores */
/** @typedef {Record<string, unknown>} Row */

/** .gitignore contains every file with this ending. */
const ENDING = '.export.ndjson';
const EXPORT_FILE = `accounts${ENDING}`;

const FORMAT_VERSION = 1;
const PREFIX = 'session:';
const ROWS_AT_ONCE = 5_000;
/** The maximum that `values` accepts. */
const RECORDS_AT_ONCE = 100;

const TABLES = {
  users: 'SELECT rowid AS row, id, username, session_epoch, created_at FROM User',
  keys: 'SELECT rowid AS row, id, user_id, hashed_password FROM Key',
  revoked: 'SELECT rowid AS row, id FROM RevokedSession',
};

/**
 * Returns the path of the file to write. Throws unless git ignores it and it does not exist yet.
 *
 * @param {string} name
 */
function requireExportFile(name) {
  if (!name.endsWith(ENDING)) {
    throw new StepFailed(
      `Let the file's name end in "${ENDING}", which git ignores: it holds password hashes.`,
    );
  }
  if (existsSync(name)) throw new StepFailed(`${name} is there already: move it away, or name another file.`);
  return resolve(name);
}

/**
 * @param {Stores} stores
 * @param {string} [name] of the file
 */
export async function exportAccounts(stores, name = EXPORT_FILE) {
  const file = requireExportFile(name);
  // KV comes first: if something ends a session while this runs, that is in the ledger, which is read last.
  const records = await readSessionRecords(stores);
  const { users, keys, revoked } = await readTables(stores);
  const owners = new Map(users.map((user) => [user.id, user]));
  const ended = new Set(revoked.map(({ id }) => id));
  const lines = {
    users: users.map(({ id, username, created_at }) => ({ type: 'user', id, username, created_at })),
    // If somebody signed up between two pages of rows, their key has no user here yet.
    keys: keys.filter(({ user_id }) => owners.has(user_id)).map(keyLine),
    sessions: records.filter((record) => stands(record, owners, ended)).map(sessionLine),
  };
  const all = [head(stores), ...lines.users, ...lines.keys, ...lines.sessions];
  await writeFile(file, all.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600, flag: 'wx' });
  console.log(
    `Wrote ${counted(lines.users.length, 'user')}, ${counted(lines.keys.length, 'key')} and ` +
      `${counted(lines.sessions.length, 'session')} of ${stores.name} to ${relative('', file)}.\n` +
      'It holds password hashes. Only you may read it, and git ignores it: delete it when it has been taken over.',
  );
}

/**
 * The first line says how to read the others.
 *
 * @param {Stores} stores
 */
function head(stores) {
  const { cost: N, blockSize: r, parallelization: p, keyBytes } = SCRYPT;
  return {
    type: 'export',
    version: FORMAT_VERSION,
    from: stores.name,
    exported_at: Date.now(),
    times: 'epoch milliseconds',
    password_hash: { format: 's2:<salt>:<key in hex>', algorithm: 'scrypt', N, r, p, key_bytes: keyBytes },
  };
}

/** @param {Row} key */
function keyLine({ id, user_id, hashed_password }) {
  const [provider, ...rest] = String(id).split(':');
  return { type: 'key', provider, provider_user_id: rest.join(':'), user_id, hashed_password };
}

/** @param {Row} record a session as KV has it */
function sessionLine({ id, user_id, created_at, proved_at, idle_expires, device, place, name }) {
  const hash = String(id).slice(String(user_id).length + 1);
  return {
    type: 'session',
    token_sha256: Buffer.from(hash, 'base64url').toString('hex'),
    user_id,
    created_at,
    proved_at,
    idle_expires,
    absolute_expires: Number(created_at) + ABSOLUTE_PERIOD_MILLISECONDS,
    device,
    place,
    name,
  };
}

/**
 * Whether the app would accept a session now: the rule of `stands` in src/lib/server/sessions/standing.ts, and the idle limit.
 *
 * @param {Row} record
 * @param {Map<unknown, Row>} owners
 * @param {Set<unknown>} ended
 */
function stands({ id, user_id, epoch, created_at, idle_expires }, owners, ended) {
  const now = Date.now();
  return (
    owners.get(user_id)?.session_epoch === epoch &&
    !ended.has(id) &&
    now < Number(idle_expires) &&
    now < Number(created_at) + ABSOLUTE_PERIOD_MILLISECONDS
  );
}

/**
 * Reads all rows of TABLES in pages. One command reads the next page of each table.
 *
 * @param {Stores} stores
 */
async function readTables(stores) {
  /** @type {{ [table in keyof typeof TABLES]: Row[] }} */
  const rows = { users: [], keys: [], revoked: [] };
  for (;;) {
    const tables = Object.values(rows);
    const last = tables.map((all) => Number(all.at(-1)?.row ?? 0));
    const pages = await stores.query(
      ...Object.values(TABLES).map(
        (select, i) => `${select} WHERE rowid > ${last[i]} ORDER BY rowid LIMIT ${ROWS_AT_ONCE}`,
      ),
    );
    tables.forEach((all, i) => {
      for (const row of pages[i] ?? []) all.push(row);
    });
    if (pages.every((page) => page.length < ROWS_AT_ONCE)) return rows;
  }
}

/**
 * Reads the session records from the keys' metadata or, without metadata, from the values.
 *
 * @param {Stores} stores
 */
async function readSessionRecords(stores) {
  const keys = await stores.keys(PREFIX);
  const records = keys.map(({ name, metadata }) => sessionOf(name, metadata));
  const unread = keys.filter((_, i) => records[i] === null).map(({ name }) => name);
  for (let start = 0; start < unread.length; start += RECORDS_AT_ONCE) {
    const names = unread.slice(start, start + RECORDS_AT_ONCE);
    for (const [name, answer] of await stores.values(names)) records.push(sessionOf(name, parsed(answer)));
  }
  return records.filter((record) => record !== null);
}

/**
 * Returns a session if the value belongs to this key and to a user.
 *
 * @param {string} name
 * @param {unknown} value
 * @returns {Row | null}
 */
function sessionOf(name, value) {
  if (!(value instanceof Object) || !('id' in value) || !('user_id' in value)) return null;
  const { id, user_id } = value;
  return `${PREFIX}${id}` === name && String(id).startsWith(`${user_id}.`) ? { ...value } : null;
}

/**
 * Parses an answer of `kv bulk get`: text from Cloudflare, `{ value: text }` on this machine.
 *
 * @param {unknown} answer
 */
function parsed(answer) {
  const text = answer instanceof Object && 'value' in answer ? answer.value : answer;
  try {
    return JSON.parse(String(text));
  } catch {
    return null;
  }
}
