import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { ACTIONS, history, playHistory, type Tally } from './histories';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';

const HISTORIES = Number(process.env.HISTORIES ?? 2_000);
const TIMEOUT_MILLISECONDS = 10 * 60 * 1000;
const d1 = createSqliteD1({ migrations: readMigrations() });

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterAll(() => {
  vi.useRealTimers();
  d1.close();
});

it(`keeps every promise over ${HISTORIES} histories`, { timeout: TIMEOUT_MILLISECONDS }, async () => {
  const tally: Tally = {};
  const setClock = (time: number) => void vi.setSystemTime(time);
  await fc.assert(
    fc.asyncProperty(history, async (one) => {
      d1.reset();
      await playHistory(one, { d1, users: plainUsers, tally, setClock });
    }),
    { numRuns: HISTORIES, ...(process.env.SEED ? { seed: Number(process.env.SEED) } : {}) },
  );
  if (process.env.TALLY) console.log(tally);
  // Every action was answered, lost and met a failing store, and sessions were accepted as well as refused.
  for (const action of ACTIONS) {
    const outcomes = Object.keys(tally).filter((entry) => entry.startsWith(`${action} `));
    expect(outcomes).toEqual(expect.arrayContaining([expect.stringContaining('answered')]));
    expect(outcomes).toEqual(expect.arrayContaining([expect.stringContaining('lost')]));
  }
  expect(tally['require answered, accepted']).toBeGreaterThan(HISTORIES / 4);
  expect(tally['require answered']).toBeGreaterThan(HISTORIES / 4);
  expect(tally['revokeOthers answered, accepted']).toBeGreaterThan(HISTORIES / 4);
});
