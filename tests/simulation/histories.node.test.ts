import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { D1_RETRY_WAIT_MILLISECONDS } from '$lib/server/policy';
import { ACTIONS, historyOf, playHistory, type Tally } from './histories';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';

const HISTORIES = Number(process.env.HISTORIES ?? 500);
/**
 * `npm test` always runs the same histories, so that no change is blocked by a failure that another change caused. `npm run test:deep` runs
 * new ones each time. The seed in a failure's message repeats its histories.
 */
const SEED = Number(process.env.SEED ?? 1);
/** `npm run test:faults` turns this off, because its faults must be found by what they break. */
const CHECK_COSTS = process.env.CHECK_COSTS !== 'off';
/** In fewer histories, the rarest events may be missing by chance. */
const RAREST_FROM = 5_000;
const LONGEST = 14;
const TIMEOUT_MILLISECONDS = 20 * 60 * 1000;
const d1 = createSqliteD1({ migrations: readMigrations() });
const logged: string[] = [];

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  // No time limit passes, so a busy machine changes nothing. The pause before D1 is asked again is shorter than all limits.
  vi.stubGlobal('setTimeout', (run: () => void, milliseconds: number) =>
    milliseconds < D1_RETRY_WAIT_MILLISECONDS.most ? setImmediate(run) : null,
  );
  const log = (...words: unknown[]) => void logged.push(words.join(' '));
  vi.stubGlobal('console', { ...console, log, warn: log, error: log });
});

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  d1.close();
});

it(`the app keeps every promise over ${HISTORIES} histories`, { timeout: TIMEOUT_MILLISECONDS }, async () => {
  const tally: Tally = {};
  const setClock = (time: number) => void vi.setSystemTime(time);
  // The unfinished work of a failed request is at most a repeated D1 query, one turn of the event loop later.
  const drain = async () => {
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  await fc.assert(
    fc.asyncProperty(historyOf(LONGEST), async (one) => {
      d1.reset();
      await playHistory(one, {
        d1,
        users: plainUsers,
        drain,
        tally,
        setClock,
        logged,
        checkCosts: CHECK_COSTS,
      });
    }),
    { numRuns: HISTORIES, seed: SEED },
  );
  if (process.env.TALLY) console.info(tally);
  // Every action succeeded, was lost and met a failing store. Sessions were accepted, refused, put back, and outlived their limits.
  const outcomes = Object.keys(tally);
  for (const action of HISTORIES >= RAREST_FROM ? ACTIONS : ['']) {
    for (const outcome of ['answered', 'lost', 'unavailable']) {
      expect(outcomes).toContainEqual(expect.stringContaining(`${action} ${outcome}`));
    }
  }
  const atLeast = {
    ...AT_LEAST,
    ...(HISTORIES >= RAREST_FROM && { 'deleted, and nothing may be left': 0.002 }),
  };
  for (const [entry, share] of Object.entries(atLeast)) {
    expect([entry, tally[entry] ?? 0]).toEqual([
      entry,
      expect.toSatisfy((count) => count > HISTORIES * share),
    ]);
  }
});

/** How often things happen on average: a good part of what was counted when this was written. */
const AT_LEAST = {
  'require answered, accepted': 0.25,
  'require answered': 0.25,
  'peek answered, accepted': 0.1,
  'revokeOthers answered, accepted': 0.1,
  'changePassword answered, accepted': 0.04,
  'stepUp answered, accepted': 0.04,
  'deleteAccount answered, accepted': 0.04,
  'in the end: live': 0.5,
  'in the end: ended': 0.5,
  'in the end: past the absolute limit only': 0.02,
  'record put back': 0.2,
  'in the end: bound': 0.1,
  'refresh: proven': 0.1,
};
