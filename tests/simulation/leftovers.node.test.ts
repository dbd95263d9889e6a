/** A deleted account's records on a KV whose list is late: records that it does not show are deleted, too. */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { KV_LIST_LATE_MILLISECONDS } from '$lib/server/policy';
import { Browser } from '../setup/browser';
import { quickHash } from './histories-requests';
import { createHostileKV } from './hostile-kv';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';
import type { StepHooks } from './steps';
import { deleteAccount, requireSession, signIn, signUp } from '../setup/requests';

const PASSWORD = 'correct horse battery';
const LATE_MILLISECONDS = 90_000;
const d1 = createSqliteD1({ migrations: readMigrations() });

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubGlobal('console', {
    ...console,
    log: () => undefined,
    warn: () => undefined,
    error: () => undefined,
  });
});

beforeEach(() => d1.reset());

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  d1.close();
});

/** Ada signed in on two browsers a few seconds ago, on a KV whose list does not show that yet. */
async function setScene() {
  vi.setSystemTime(Date.UTC(2026, 0, 1));
  const kv = createHostileKV({
    seed: 3,
    hostility: { listLagMilliseconds: LATE_MILLISECONDS },
    now: () => Date.now(),
  });
  const request = (browser: Browser, hooks: StepHooks = {}) =>
    browser.request({
      kv: kv.place('FRA', hooks),
      db: d1.connect(hooks),
      layout: 'owner',
      passwordHash: quickHash,
      users: plainUsers,
      method: 'POST',
    });
  const laptop = new Browser();
  await signUp(request(laptop), 'ada', PASSWORD);
  await signIn(request(new Browser()), 'ada', PASSWORD);
  vi.advanceTimersByTime(2_000);
  return { kv, request, laptop };
}

type Scene = Awaited<ReturnType<typeof setScene>>;

async function deleteAda({ request, laptop }: Scene, hooks: StepHooks = {}): Promise<void> {
  const event = request(laptop, hooks);
  expect(await deleteAccount(event, await requireSession(event), PASSWORD)).toBe('deleted');
  await laptop.settle();
}

async function somebodySignsUp({ request }: Scene, name: string): Promise<void> {
  const browser = new Browser();
  await signUp(request(browser), name, PASSWORD);
  await browser.settle();
}

const keysOfAda = ({ kv }: Scene) =>
  kv.truth().filter(({ value }) => value.includes('"username":"ada"')).length;
const staleLists = ({ kv }: Scene) => kv.log.filter(({ op, stale }) => op === 'list' && stale).length;
const markers = () => d1.rows('SELECT * FROM Leftover').length;

it('sessions that no list shows yet are deleted by their keys, and the marker is removed', async () => {
  const scene = await setScene();
  expect(keysOfAda(scene)).toBe(2);
  await deleteAda(scene);
  expect(staleLists(scene)).toBe(1);
  expect(keysOfAda(scene)).toBe(0);
  expect(markers()).toBe(0);
});

it('an empty list ends nothing while it may be late, even if the worker died after the deletion', async () => {
  const scene = await setScene();
  let deleted = false;
  const dies: StepHooks = {
    beforeStep: () => {
      if (deleted) throw new Error('injected: the worker is gone');
    },
    afterStep: ({ op }) => {
      deleted ||= op.includes('DELETE FROM User');
    },
  };
  await deleteAda(scene, dies);
  await somebodySignsUp(scene, 'bob');
  expect(staleLists(scene)).toBe(1);
  expect(keysOfAda(scene)).toBe(2);
  expect(markers()).toBe(1);
  vi.advanceTimersByTime(KV_LIST_LATE_MILLISECONDS);
  await somebodySignsUp(scene, 'eve');
  expect(keysOfAda(scene)).toBe(0);
  expect(markers()).toBe(0);
});
