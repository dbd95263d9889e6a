/** Ten minutes of mixed load on the built worker, in a bare workerd: no error, and its memory stays as it is. */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bundleWorker, startBareWorker } from '../../scripts/lib/bare-worker.mjs';
import { PASSWORD, passwordHash, person } from '../../scripts/lib/people.mjs';
import { StepFailed } from '../../scripts/lib/processes.mjs';
import { startStores } from '../../scripts/lib/store-servers.mjs';
import { visit } from '../../scripts/lib/visitor.mjs';
import { median } from './numbers.mjs';

const MINUTES = Number(process.env.SOAK_MINUTES ?? 10);
/** A minute for each quarter that is compared. */
const MINUTES_MIN = 4;
const CONNECTIONS = 6;
const DELAYS = { kvMilliseconds: 2, d1Milliseconds: 4 };
const VISITS_BETWEEN = 12;
/** What Cloudflare gives a Worker; without a limit V8 collects garbage as rarely as it likes. */
const HEAP_FLAGS = ['--max-old-space-size=128'];
const SAMPLE_MILLISECONDS = 1_000;
const PAGES = ['/', '/sessions', '/activity', '/account', '/kv', '/api/sessions'];
const MEGABYTE_KIB = 1_024;

/** @typedef {Record<string, number>} Tally */
/** @typedef {Awaited<ReturnType<typeof startBareWorker>>} BareWorker */

/**
 * @returns {Promise<{ minutes: number, requests: Tally, errors: string[], rssMegabytes: number[] }>} memory: the median of each minute
 */
export async function soak() {
  if (!(MINUTES >= MINUTES_MIN)) throw new StepFailed(`SOAK_MINUTES is ${MINUTES}: at least ${MINUTES_MIN}.`);
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  await bundleWorker(folder);
  const stores = await startStores(DELAYS);
  const hash = passwordHash();
  for (let i = 0; i < CONNECTIONS; i += 1) {
    const { id, username } = person(i);
    stores.db.prepare('INSERT INTO User (id, username) VALUES (?, ?)').run(id, username);
    stores.db
      .prepare('INSERT INTO Key (id, user_id, hashed_password) VALUES (?, ?, ?)')
      .run(`username:${username}`, id, hash);
  }
  const worker = await startBareWorker(folder, stores, HEAP_FLAGS);
  const end = Date.now() + MINUTES * 60_000;
  /** @type {Tally} */
  const requests = {};
  /** @type {string[]} */
  const errors = [];
  try {
    const visitors = Array.from({ length: CONNECTIONS }, (_, number) =>
      keepVisiting({ origin: worker.origin, number, stores, end, requests, errors }),
    );
    const rssMegabytes = await sampleMemory(worker, end);
    await Promise.all(visitors);
    if (worker.errors().match(/uncaught|hung/i)) errors.push(worker.errors().slice(-1_000));
    return { minutes: MINUTES, requests, errors: errors.slice(0, 20), rssMegabytes };
  } finally {
    await worker.stop();
    await stores.stop();
    await rm(folder, { recursive: true });
  }
}

/** @typedef {Awaited<ReturnType<typeof soak>>} Soak */

/**
 * How much larger the memory is in the last quarter of the minutes than in the second.
 * @param {Soak} result
 */
export function memoryGrowth({ rssMegabytes: rss }) {
  const quarter = Math.max(1, Math.floor(rss.length / 4));
  return median(rss.slice(-quarter)) / median(rss.slice(quarter, 2 * quarter));
}

/**
 * Resident memory, in MB.
 * @param {BareWorker} worker
 */
function rssOf({ pid, errors }) {
  const file = `/proc/${pid}/status`;
  if (!existsSync(file)) throw new StepFailed(`workerd ended under load: ${errors()}`);
  const status = readFileSync(file, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / MEGABYTE_KIB;
}

/**
 * @typedef {{
 *   origin: string, number: number, stores: import('../../scripts/lib/store-servers.mjs').StoreServers,
 *   end: number, requests: Tally, errors: string[],
 * }} Visitor
 */

/**
 * One visitor after the other: signs in on two devices, looks at pages, is away for an hour, ends one session, the others, all.
 * @param {Visitor} visitor
 */
async function keepVisiting({ origin, number, stores, end, requests, errors }) {
  const { username } = person(number);
  /** @type {string | undefined} */
  let cookie;

  /**
   * @param {string} kind
   * @param {number} expected
   * @param {string} path
   * @param {Record<string, string>} [form]
   */
  async function send(kind, expected, path, form) {
    requests[kind] = (requests[kind] ?? 0) + 1;
    try {
      const response = await visit(origin, path, { cookie, form });
      const text = await response.text();
      if (response.status !== expected) {
        errors.push(`${kind}: ${response.status} ${text.replace(/\s+/g, ' ').slice(0, 200)}`);
      }
      const set = response.headers.getSetCookie().find((one) => one.startsWith('session='));
      if (set) cookie = set.slice('session='.length, set.indexOf(';')) || undefined;
    } catch (error) {
      errors.push(`${kind}: ${error}`);
    }
  }

  const signIn = () => send('sign-in', 303, '/login', { username, password: PASSWORD });
  const lookAround = async () => {
    for (let i = 0; i < VISITS_BETWEEN; i += 1) await send('page', 200, PAGES[i % PAGES.length] ?? '/');
  };

  while (Date.now() < end) {
    await signIn();
    const phone = idOf(stores, person(number).id);
    cookie = undefined;
    await signIn();
    await lookAround();
    makeRenewalsDue(stores, person(number).id);
    await send('renewal', 200, '/activity');
    if (phone) await send('revoke one', 200, '/sessions?/revoke', { sessionId: phone });
    await lookAround();
    await send('revoke others', 200, '/sessions?/revokeOthers', {});
    await lookAround();
    if (number % 2 === 0) await send('revoke all', 303, '/sessions?/revokeAll', {});
    else await send('sign-out', 303, '/logout', {});
  }
}

/**
 * @param {import('../../scripts/lib/store-servers.mjs').StoreServers} stores
 * @param {string} userId
 */
function recordsOf({ records }, userId) {
  return [...records].filter(([key]) => key.startsWith(`session:${userId}.`));
}

/**
 * The id of a session of a user.
 * @param {import('../../scripts/lib/store-servers.mjs').StoreServers} stores
 * @param {string} userId
 */
function idOf(stores, userId) {
  return recordsOf(stores, userId)[0]?.[0].slice('session:'.length);
}

/**
 * As if the user's sessions had been made more than an hour ago.
 * @param {import('../../scripts/lib/store-servers.mjs').StoreServers} stores
 * @param {string} userId
 */
function makeRenewalsDue(stores, userId) {
  for (const [key, record] of recordsOf(stores, userId)) {
    const value = JSON.stringify({ ...JSON.parse(record.value), active_expires: Date.now() - 1 });
    stores.records.set(key, { ...record, value, metadata: value });
  }
}

/**
 * The resident memory of a worker until `end`, in MB: the median of each minute.
 * @param {BareWorker} worker
 * @param {number} end
 */
async function sampleMemory(worker, end) {
  /** @type {number[][]} */
  const minutes = [];
  const start = Date.now();
  while (Date.now() < end) {
    await delay(SAMPLE_MILLISECONDS);
    const minute = Math.min(Math.floor((Date.now() - start) / 60_000), Math.ceil(MINUTES) - 1);
    (minutes[minute] ??= []).push(rssOf(worker));
  }
  return minutes.map((samples) => Math.round(median(samples) * 10) / 10);
}
