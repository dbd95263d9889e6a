/**
 * The built worker in a bare workerd, its KV and D1 answering after a delay: what an answer takes is the waits for the stores,
 * one after the other, and little else.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleWorker, startBareWorker } from '../../scripts/lib/bare-worker.mjs';
import { newSession, PASSWORD, passwordHash, person } from '../../scripts/lib/people.mjs';
import { startStores } from '../../scripts/lib/store-servers.mjs';
import { visit } from '../../scripts/lib/visitor.mjs';
import { median } from './numbers.mjs';

const RUNS = 9;
const WARM_UP_RUNS = 2;
/** KV and D1, in milliseconds. */
const DELAYS = /** @type {const} */ ([
  [0, 0],
  [1, 5],
  [10, 50],
  [50, 150],
]);

/**
 * What is asked for, and the waits it is made of: a wait for both stores at once takes as long as the slower one.
 * @typedef {{ name: string, waits: ('KV' | 'D1')[], prepare?: () => string, ask: (id: string) => Promise<Response> }} Operation
 */

/** @returns {Promise<{ runs: number, delays: readonly (readonly number[])[], operations: { name: string, waits: string[], milliseconds: number[] }[] }>} */
export async function latency() {
  const folder = await mkdtemp(join(tmpdir(), 'latency-'));
  await bundleWorker(folder);
  const stores = await startStores({ kvMilliseconds: 0, d1Milliseconds: 0 });
  const worker = await startBareWorker(folder, stores);
  try {
    const results = operations(worker.origin, stores).map((operation) => ({
      operation,
      milliseconds: /** @type {number[]} */ ([]),
    }));
    for (const [kvMilliseconds, d1Milliseconds] of DELAYS) {
      Object.assign(stores.delays, { kvMilliseconds, d1Milliseconds });
      for (const { operation, milliseconds } of results) milliseconds.push(await timeOf(operation));
    }
    return {
      runs: RUNS,
      delays: DELAYS,
      operations: results.map(({ operation: { name, waits }, milliseconds }) => ({
        name,
        waits,
        milliseconds,
      })),
    };
  } finally {
    await worker.stop();
    await stores.stop();
    await rm(folder, { recursive: true });
  }
}

/**
 * The median, in milliseconds.
 * @param {Operation} operation
 */
async function timeOf({ name, prepare, ask }) {
  const times = [];
  for (let run = -WARM_UP_RUNS; run < RUNS; run += 1) {
    const id = prepare?.() ?? '';
    const start = performance.now();
    const response = await ask(id);
    const text = await response.text();
    if (response.status >= 400)
      throw new Error(`[latency] ${name} answered ${response.status}: ${text.slice(0, 200)}`);
    if (run >= 0) times.push(performance.now() - start);
  }
  return Math.round(median(times));
}

/**
 * @param {string} origin
 * @param {import('../../scripts/lib/store-servers.mjs').StoreServers} stores
 * @returns {Operation[]}
 */
function operations(origin, { db, records }) {
  const user = person(1);
  db.prepare('INSERT INTO User (id, username) VALUES (?, ?)').run(user.id, user.username);
  db.prepare('INSERT INTO Key (id, user_id, hashed_password) VALUES (?, ?, ?)').run(
    `username:${user.username}`,
    user.id,
    passwordHash(),
  );
  const store = () => {
    const session = newSession(user);
    records.set(session.key, { value: session.json, metadata: session.json, expiration: session.expiration });
    return session;
  };
  let { cookie } = store();
  return [
    { name: 'page view (`/`)', waits: ['KV'], ask: () => visit(origin, '/', { cookie }) },
    {
      // Its form is refused after the session is confirmed; what an action answers to a page's script.
      name: 'confirmation alone (an action)',
      waits: ['D1'],
      ask: () =>
        fetch(`${origin}/sessions?/rename`, {
          method: 'POST',
          headers: {
            origin,
            cookie: `session=${cookie}`,
            accept: 'application/json',
            'x-sveltekit-action': 'true',
          },
          body: new URLSearchParams(),
        }),
    },
    { name: 'sessions page', waits: ['D1'], ask: () => visit(origin, '/sessions', { cookie }) },
    {
      name: 'sign-in, hashing included',
      waits: ['D1', 'D1', 'KV'],
      ask: () => visit(origin, '/login', { form: { username: user.username, password: PASSWORD } }),
    },
    {
      name: 'revoke one (API)',
      waits: ['D1', 'D1'],
      prepare: () => store().id,
      ask: (id) => end(origin, `/api/sessions/${id}`, cookie),
    },
    {
      name: 'revoke others (API)',
      waits: ['D1', 'D1'],
      ask: async () => {
        const response = await end(origin, '/api/sessions', cookie);
        const set = response.headers.getSetCookie().find((one) => one.startsWith('session=')) ?? '';
        cookie = set.slice('session='.length, set.indexOf(';'));
        return response;
      },
    },
  ];
}

/**
 * @param {string} origin
 * @param {string} path
 * @param {string} cookie
 */
function end(origin, path, cookie) {
  const headers = { origin, cookie: `session=${cookie}`, 'cf-connecting-ip': '127.0.0.1' };
  return fetch(origin + path, { method: 'DELETE', headers });
}
