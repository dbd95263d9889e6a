import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { userAdapter } from '$lib/server/accounts/user-adapter';
import { historyOf, playHistory, type Tally } from './histories';
import { observeD1 } from './observed-d1';

const HISTORIES = env.DEEP === '1' ? 500 : 40;
/** Shorter than in Node, because a history costs fifty times as much here. */
const LONGEST = 8;
const TIMEOUT_MILLISECONDS = HISTORIES * 2_000;
const logged: string[] = [];

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const log = (...words: unknown[]) => void logged.push(words.join(' '));
  // Prisma prints the injected failures before it throws them.
  vi.stubGlobal('console', { ...console, log, warn: log, error: log });
});

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it(
  `the app keeps every promise over ${HISTORIES} histories on the real D1, through Prisma`,
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const tally: Tally = {};
    const d1 = observeD1(env.DB);
    const pending: Promise<unknown>[] = [];
    // A sign-in reads the key and counts the attempt at the same time. If counting fails, Prisma may still be about to read.
    const users: typeof userAdapter = (db) => (LuciaError) => {
      const adapter = userAdapter(db)(LuciaError);
      const getKey: typeof adapter.getKey = (keyId) => {
        const key = adapter.getKey(keyId);
        pending.push(key);
        return key;
      };
      return { ...adapter, getKey };
    };
    const drain = () => Promise.allSettled(pending.splice(0));
    const setClock = (time: number) => void vi.setSystemTime(time);
    await fc.assert(
      fc.asyncProperty(historyOf(LONGEST), (one) =>
        playHistory(one, { d1, users, drain, tally, setClock, logged, checkCosts: true }),
      ),
      { numRuns: HISTORIES, ...(env.DEEP !== '1' && { seed: 1 }) },
    );
    expect(tally['require answered, accepted']).toBeGreaterThan(HISTORIES / 5);
    expect(tally['in the end: live']).toBeGreaterThan(HISTORIES / 5);
    expect(tally['in the end: ended']).toBeGreaterThan(HISTORIES / 5);
  },
);
