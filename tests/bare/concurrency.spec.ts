/**
 * Sends simultaneous requests to a bare workerd whose KV and D1 are in another process, some milliseconds away. Anything that requests
 * share by mistake, such as a database client, fails here as it would on Cloudflare. In Miniflare it would not.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { bundleWorker, startBareWorker } from './bare-worker.mjs';
import { newSession, PASSWORD, passwordHash, person } from './people.mjs';
import { startStores, type StoreServers } from './store-servers.mjs';
import { visit } from './visitor.mjs';

// One test after the other: they measure the wait for one thread and must not wait for each other.
test.describe.configure({ mode: 'default' });

const FIRST_AT_ONCE = 64;
const CONNECTIONS = 8;
const DELAYS = { kvMilliseconds: 3, d1Milliseconds: 5 };
/** A neighbour disconnects after one of these times, in milliseconds: before, between and after the stores' responses. */
const LEAVES_AFTER = [1, 4, 8];

/** An operation by one of many users, who are numbered. */
type Operation = {
  name: string;
  answer: number;
  send: (origin: string, user: number, signal?: AbortSignal) => Promise<Response>;
};

const cookies: string[] = [];
let signUps = 0;

const OPERATIONS: Operation[] = [
  {
    name: 'peek',
    answer: 200,
    send: (origin, user, signal) => visit(origin, '/', { cookie: cookies[user], signal }),
  },
  {
    name: 'require',
    answer: 200,
    send: (origin, user, signal) => visit(origin, '/activity', { cookie: cookies[user], signal }),
  },
  {
    name: 'sign-in',
    answer: 303,
    send: (origin, user, signal) => {
      const form = { username: person(user).username, password: PASSWORD };
      return visit(origin, '/login', { form, signal });
    },
  },
  {
    name: 'sign-up',
    answer: 303,
    send: (origin, _, signal) => {
      const form = { username: `new-${(signUps += 1)}`, password: PASSWORD };
      return visit(origin, '/signup', { form, signal });
    },
  },
];

let folder: string;
let stores: StoreServers;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'worker-'));
  await bundleWorker(folder);
  stores = await startStores(DELAYS);
  const hash = passwordHash();
  for (let i = 0; i < FIRST_AT_ONCE; i += 1) {
    const { id, username } = person(i);
    stores.db.prepare('INSERT INTO User (id, username) VALUES (?, ?)').run(id, username);
    const key = `username:${username}`;
    stores.db.prepare('INSERT INTO Key (id, user_id, hashed_password) VALUES (?, ?, ?)').run(key, id, hash);
    const { cookie, key: name, json, expiration } = newSession({ id, username });
    stores.records.set(name, { value: json, metadata: json, expiration });
    cookies.push(cookie);
  }
});

test.afterAll(async () => {
  await stores.stop();
  rmSync(folder, { recursive: true });
});

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

/** Has no time limit of its own, because a request may wait for the thread behind many hashes. `log` returns the worker's errors. */
async function expectAnswer(
  { name, answer }: Operation,
  response: Response,
  log: () => string,
): Promise<void> {
  await response.text();
  expect(response.status, `${name}: ${log().slice(-2_000)}`).toBe(answer);
}

for (const operation of OPERATIONS) {
  test(`the first ${FIRST_AT_ONCE} requests, at once: ${operation.name}`, async () => {
    const worker = await startBareWorker(folder, stores);
    try {
      const sent = numbers(FIRST_AT_ONCE).map((user) => operation.send(worker.origin, user));
      for (const response of await Promise.all(sent)) await expectAnswer(operation, response, worker.errors);
    } finally {
      await worker.stop();
    }
    expect(worker.errors()).not.toMatch(/uncaught|different request|hung/i);
    expect(stores.askedOfEdge(), 'lookups in the edge’s cache').toBe(0);
  });
}

test(`${CONNECTIONS} connections, and ${CONNECTIONS} beside neighbours who leave before they are answered`, async () => {
  const worker = await startBareWorker(folder, stores);
  const { origin } = worker;
  let left = 0;
  try {
    const steady = (rounds: number) =>
      numbers(CONNECTIONS).map(async (user) => {
        for (const operation of numbers(rounds).flatMap(() => OPERATIONS)) {
          await expectAnswer(operation, await operation.send(origin, user), worker.errors);
        }
      });
    await Promise.all(steady(1));

    const neighbours = numbers(CONNECTIONS).map(async (number) => {
      for (const delay of LEAVES_AFTER) {
        for (const operation of OPERATIONS) {
          const signal = AbortSignal.timeout(delay);
          await operation.send(origin, CONNECTIONS + number, signal).catch(() => (left += 1));
        }
      }
    });
    await Promise.all([...steady(1), ...neighbours]);
  } finally {
    await worker.stop();
  }
  expect(left).toBeGreaterThan(CONNECTIONS);
  expect(worker.errors()).not.toMatch(/uncaught|different request|hung/i);
});
