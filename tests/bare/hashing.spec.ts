/**
 * Hashing a password blocks the thread of an isolate for about 65 ms, and all visitors there share that thread. So the number of hashes
 * that one address can cause at once limits how long the others wait. This is measured on a bare workerd, against the wait when the same
 * requests cause no hashing.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { bundleWorker, startBareWorker } from './bare-worker.mjs';
import { newSession, person } from './people.mjs';
import { startStores, type StoreServers } from './store-servers.mjs';
import { visit } from './visitor.mjs';

test.describe.configure({ mode: 'default' });

const DELAYS = { kvMilliseconds: 3, d1Milliseconds: 5 };
/** An address for documentation (RFC 5737). */
const GUESSER = '203.0.113.7';
const GUESSES = 220;
const VISITORS = 4;
/** An address may have ten attempts in progress. Without the limit it could have two hundred. */
const HASHES_MAX = 20;
const SIGN_INS_ALONE = 5;

let folder: string;
let stores: StoreServers;

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'worker-'));
  stores = await startStores(DELAYS);
  await bundleWorker(folder);
});

test.afterAll(async () => {
  await stores.stop();
  rmSync(folder, { recursive: true });
});

test('simultaneous wrong sign-ins from one address do not keep other visitors waiting', async () => {
  const worker = await startBareWorker(folder, stores);
  const cookies = Array.from({ length: VISITORS }, (_, i) => {
    const { cookie, key, json, expiration } = newSession(person(i));
    stores.records.set(key, { value: json, metadata: json, expiration });
    return cookie;
  });

  /** Returns the status and the duration in milliseconds. */
  async function timed(request: Promise<Response>) {
    const startedAt = performance.now();
    const response = await request;
    await response.text();
    return { status: response.status, milliseconds: performance.now() - startedAt };
  }
  const view = (cookie: string) => timed(visit(worker.origin, '/', { cookie }));
  const guess = (name: string, address?: string) =>
    timed(visit(worker.origin, '/login', { form: { username: name, password: 'a wrong guess' }, address }));

  /** Sends all guesses at once. Meanwhile each visitor loads pages, one after the other. */
  async function guessAtOnce() {
    let isOver = false;
    const guessing = Promise.all(
      Array.from({ length: GUESSES }, (_, n) => guess(`nobody-${n}`, GUESSER)),
    ).finally(() => (isOver = true));
    const viewing = cookies.map(async (cookie) => {
      const views = [];
      while (!isOver) views.push(await view(cookie));
      return views;
    });
    const hashed = (await guessing).filter(({ status }) => status !== 429);
    const views = (await Promise.all(viewing)).flat();
    expect(new Set(views.map(({ status }) => status))).toEqual(new Set([200]));
    expect(hashed.map(({ status }) => status)).toEqual(hashed.map(() => 400));
    return { hashed: hashed.length, longest: Math.max(...views.map(({ milliseconds }) => milliseconds)) };
  }

  try {
    await Promise.all(cookies.map(view));
    const alone: number[] = [];
    for (let n = 0; n <= SIGN_INS_ALONE; n += 1) alone.push((await guess(`warm-${n}`)).milliseconds);
    const one = median(alone.slice(1));
    const guesses = await guessAtOnce();
    stores.db.exec(
      `UPDATE SignInThrottle SET blocked_until = ${Date.now() + 60_000} WHERE id GLOB 'address:*'`,
    );
    const refused = await guessAtOnce();
    console.log(
      `a sign-in alone takes ${one.toFixed(0)} ms; ${guesses.hashed} of ${GUESSES} guesses at once were hashed, and a page view ` +
        `meanwhile took ${guesses.longest.toFixed(0)} ms at the longest; while all were refused, ${refused.longest.toFixed(0)} ms`,
    );
    expect(guesses.hashed).toBeGreaterThan(0);
    expect(refused.hashed).toBe(0);
    expect(guesses.longest - refused.longest).toBeLessThan(HASHES_MAX * one);
  } finally {
    await worker.stop();
  }
});

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN;
}
