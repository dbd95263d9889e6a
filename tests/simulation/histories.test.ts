import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { history, playHistory, type Tally } from './histories';
import { observeD1 } from './observed-d1';

const HISTORIES = 500;
const TIMEOUT_MILLISECONDS = 120_000;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

afterAll(() => {
  vi.useRealTimers();
});

it(
  `keeps every promise over ${HISTORIES} histories on the real D1, through Prisma`,
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const tally: Tally = {};
    const d1 = observeD1(env.DB);
    const setClock = (time: number) => void vi.setSystemTime(time);
    await fc.assert(
      fc.asyncProperty(history, (one) => playHistory(one, { d1, tally, setClock })),
      { numRuns: HISTORIES },
    );
    expect(tally['require answered, accepted']).toBeGreaterThan(HISTORIES / 4);
  },
);
