/** A use from elsewhere, seen from locations whose KV is late, and during a rotation. It is recorded once and stays with the session. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Browser } from '../setup/browser';
import { listSessions, requireSession, signUp, stepUp } from '../setup/requests';
import { quickHash } from './histories-requests';
import { createHostileKV } from './hostile-kv';
import { HOSTILE, type Hostility } from './hostility';
import { everyInterleaving } from './interleavings';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';
import type { StepHooks } from './steps';

const PASSWORD = 'correct horse battery';
const MINUTE = 60_000;
const ANDROID = 'Mozilla/5.0 (Linux; Android 10; K) Chrome/142.0.0.0 Mobile Safari/537.36';
const d1 = createSqliteD1({ migrations: readMigrations() });

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubGlobal('console', { ...console, log: () => undefined, warn: () => undefined });
});

beforeEach(() => d1.reset());

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  d1.close();
});

/** Ada on her own browser, and a copy of its cookie on a phone. */
async function setScene(hostility: Partial<Hostility>) {
  vi.setSystemTime(Date.UTC(2026, 0, 1));
  d1.reset();
  const kv = createHostileKV({ seed: 5, hostility, now: () => Date.now() });
  const request = (browser: Browser, place: string, hooks: StepHooks = {}) =>
    browser.request({
      kv: kv.place(place, hooks),
      db: d1.connect(hooks, place),
      layout: 'owner',
      passwordHash: quickHash,
      users: plainUsers,
      method: 'POST',
    });
  const owner = new Browser();
  await signUp(request(owner, 'FRA'), 'ada', PASSWORD);
  const thief = new Browser(ANDROID, { cf: { country: 'NG', city: 'Lagos' } }).plant(owner.cookie ?? '');
  return { request, owner, thief };
}

const moves = () => d1.rows("SELECT id FROM SecurityEvent WHERE type = 'session-moved'").length;

it('locations that see old KV still record a move once an hour, and none hides it', async () => {
  const failing = { get: 0, put: 0, delete: 0, list: 0 };
  const { request, owner, thief } = await setScene({ ...HOSTILE, failureRates: failing });
  const hours = 6;
  for (let minute = 0; minute < hours * 60; minute += 3) {
    vi.advanceTimersByTime(3 * MINUTE);
    for (const place of ['FRA', 'SIN', 'IAD']) {
      // Where KV does not show the session yet, nobody is confirmed and nothing is recorded.
      for (const browser of [thief, owner]) {
        await requireSession(request(browser, place)).catch(() => undefined);
        await browser.settle();
      }
    }
  }
  expect(moves()).toBeGreaterThanOrEqual(hours - 1);
  expect(moves()).toBeLessThanOrEqual(hours + 1);
  const event = request(owner, 'FRA');
  const { sessions } = await listSessions(event, await requireSession(event));
  expect(sessions.find(({ current }) => current)?.moved).toMatchObject([{ place: { city: 'Lagos' } }]);
});

it('use from elsewhere ∥ rotation: whichever comes first, the mark is on what the session goes on as', async () => {
  let noted = 0;
  const interleavings = everyInterleaving(async () => {
    const scene = await setScene({});
    const { request, owner, thief } = scene;
    let gate: StepHooks = {};
    const event = request(owner, 'FRA', {
      beforeStep: (step) => gate.beforeStep?.(step),
      afterStep: (step) => gate.afterStep?.(step),
    });
    const session = await requireSession(event);
    return {
      scene,
      processes: {
        thief: async (hooks: StepHooks) => {
          await requireSession(request(thief, 'FRA', hooks));
          await thief.settle();
        },
        owner: async (hooks: StepHooks) => {
          gate = hooks;
          await stepUp(event, session, PASSWORD);
        },
      },
    };
  });
  for await (const { run, schedule, outcomes } of interleavings) {
    const { request, owner } = run.scene;
    await owner.settle();
    const event = request(owner, 'FRA');
    const { sessions } = await listSessions(event, await requireSession(event));
    // A copy that came too late was refused, and so is useless.
    const wasIn = outcomes.thief?.status === 'fulfilled';
    expect(sessions[0]?.moved, schedule).toHaveLength(wasIn ? 1 : 0);
    noted += Number(wasIn);
  }
  expect(noted).toBeGreaterThan(10);
});
