/** What is left of a deleted account on the real KV and D1: nothing, however much there was and whatever fails on the way. */
import { isRedirect } from '@sveltejs/kit';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KV_LIST_LATE_MILLISECONDS, LEFTOVER_OPERATIONS_PER_STEP } from '$lib/server/policy';
import { Browser } from '../setup/browser';
import type { Step, StepHooks } from '../simulation/steps';
import {
  ACTION_SCENARIOS,
  ask,
  call,
  PASSWORD,
  sessionIdOf,
  setScene,
  storesWith,
  type Scene,
} from './routes';
import { deleteAccount, requireSession, signIn, signUp } from '../setup/requests';

const DELETION = ACTION_SCENARIOS.find(({ name }) => name === 'deleting the account');
if (!DELETION) throw new Error('there is no scenario of that name');
const deletion = DELETION;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
});

afterEach(async () => {
  await env.DB.exec('DELETE FROM Leftover');
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const userIdOf = ({ laptop }: Scene) => sessionIdOf(laptop).split('.')[0] ?? '';

async function keysUnder(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await env.SESSIONS.list({ prefix, cursor });
    keys.push(...page.keys.map(({ name }) => name));
    cursor = page.list_complete ? undefined : page.cursor;
  } while (cursor !== undefined);
  return keys;
}

const recordsOf = async (userId: string) => [
  ...(await keysUnder(`session:${userId}.`)),
  ...(await keysUnder(`user_sessions:${userId}`)),
];

async function markers(): Promise<unknown[]> {
  return (await env.DB.prepare('SELECT user_id FROM Leftover').all()).results.map(({ user_id }) => user_id);
}

/** Stores this many records of sessions that ended before and whose deletes were lost. */
async function putLeftovers(userId: string, count: number): Promise<void> {
  const keys = Array.from(
    { length: count },
    (_, i) => `session:${userId}.ended-${String(i).padStart(4, '0')}`,
  );
  await Promise.all(keys.map((key) => env.SESSIONS.put(key, '{"name":"Ada\'s phone"}')));
}

/** Records the KV operations of a request and of its background work. The hooks may make some fail. */
function watchKV(hooks: StepHooks = {}): StepHooks & { taken: Step[] } {
  const taken: Step[] = [];
  return {
    taken,
    ...hooks,
    beforeStep: (step) => {
      if (step.store === 'KV') taken.push(step);
      return hooks.beforeStep?.(step);
    },
  };
}

/** Another user signs up, and the background work finishes. */
async function somebodySignsUp(hooks: StepHooks = {}): Promise<void> {
  const browser = new Browser();
  const name = `bob-${crypto.randomUUID().slice(0, 13)}`;
  expect(await signUp(browser.request(storesWith(hooks)), name, PASSWORD)).toBe('signed-in');
  await browser.settle();
}

const gone = (step: Step) => {
  throw new Error(`injected: ${step.store} is gone`);
};

it('the records of sessions that had ended before are deleted, whatever they hold', async () => {
  const scene = await setScene();
  const userId = userIdOf(scene);
  await putLeftovers(userId, 2);
  await env.SESSIONS.put(`session:${userId}.not-json`, 'not a session');
  await env.SESSIONS.put(`user_sessions:${userId}`, '["of the other layout"]');
  const { outcome } = await call(deletion, scene, {});
  expect(isRedirect(outcome)).toBe(true);
  expect(await recordsOf(userId)).toEqual([]);
  expect(await markers()).toEqual([]);
});

it('the records of a user whose id begins with the deleted one stay', async () => {
  const scene = await setScene();
  const userId = userIdOf(scene);
  const others = [`session:${userId}2.theirs`, `session:${userId}.b.theirs`, `user_sessions:${userId}2`];
  for (const key of others) await env.SESSIONS.put(key, '{}');
  await call(deletion, scene, {});
  expect(await recordsOf(userId)).toEqual([`session:${userId}.b.theirs`, `user_sessions:${userId}2`]);
  expect(await keysUnder(`session:${userId}2.`)).toEqual([`session:${userId}2.theirs`]);
});

it('in the index layout the records are deleted too, even those that the index had lost', async () => {
  const stores = () => ({ ...storesWith({}), layout: 'index' as const });
  const laptop = new Browser();
  const name = `ada-${crypto.randomUUID().slice(0, 13)}`;
  await signUp(laptop.request(stores()), name, PASSWORD);
  await signIn(new Browser().request(stores()), name, PASSWORD);
  const userId = sessionIdOf(laptop).split('.')[0] ?? '';
  await env.SESSIONS.put(`user_sessions:${userId}`, JSON.stringify([sessionIdOf(laptop)]));
  expect(await recordsOf(userId)).toHaveLength(3);
  const event = laptop.request(stores());
  expect(await deleteAccount(event, await requireSession(event), PASSWORD)).toBe('deleted');
  await laptop.settle();
  expect(await recordsOf(userId)).toEqual([]);
});

it('more records than a request may delete are deleted in steps, at the sign-ups of others', async () => {
  const scene = await setScene();
  const userId = userIdOf(scene);
  await putLeftovers(userId, 1_200);
  const own = watchKV();
  await call(deletion, scene, own);
  // One more: the read of the session that made the request.
  expect(own.taken).toHaveLength(1 + LEFTOVER_OPERATIONS_PER_STEP);
  expect(await markers()).toEqual([userId]);
  let left = (await recordsOf(userId)).length;
  for (let signUps = 0; left > 0; signUps += 1) {
    expect(signUps).toBeLessThan(2);
    const hooks = watchKV();
    await somebodySignsUp(hooks);
    // One more: the record of the new session.
    expect(hooks.taken.length).toBeLessThanOrEqual(1 + LEFTOVER_OPERATIONS_PER_STEP);
    left = (await recordsOf(userId)).length;
  }
  // The deletion itself removed the records that a late list may hide, so the marker is removed with the last of the others.
  expect(await markers()).toEqual([]);
});

it('deletes that fail half-way are repeated at the next sign-up', async () => {
  const scene = await setScene();
  const userId = userIdOf(scene);
  await putLeftovers(userId, 5);
  let deletes = 0;
  const hooks: StepHooks = {
    beforeStep: (step) => (step.op === 'delete' && (deletes += 1) > 3 ? gone(step) : undefined),
  };
  const { outcome } = await call(deletion, scene, hooks);
  expect(isRedirect(outcome)).toBe(true);
  expect(await recordsOf(userId)).not.toEqual([]);
  expect(await markers()).toEqual([userId]);
  await somebodySignsUp();
  expect(await recordsOf(userId)).toEqual([]);
});

it.each(['list', 'delete'])(
  'if every %s of a KV fails, the marker stays and the next sign-in continues',
  async (op) => {
    const scene = await setScene();
    const userId = userIdOf(scene);
    await putLeftovers(userId, 1);
    await call(deletion, scene, { beforeStep: (step) => (step.op === op ? gone(step) : undefined) });
    expect(await markers()).toEqual([userId]);
    const other = await setScene();
    // The background work of its sign-up and sign-in is not waited for, only what follows.
    vi.advanceTimersByTime(KV_LIST_LATE_MILLISECONDS);
    const browser = new Browser();
    expect(await signIn(browser.request(storesWith({})), other.username, PASSWORD)).toBe('signed-in');
    await browser.settle();
    expect(await recordsOf(userId)).toEqual([]);
    expect(await markers()).toEqual([]);
  },
);

it('if D1 is down after the deletion, the marker stays and a later step removes it', async () => {
  const scene = await setScene();
  const userId = userIdOf(scene);
  const isMarker = ({ op }: Step) => op === 'DELETE FROM Leftover';
  await call(deletion, scene, { beforeStep: (step) => (isMarker(step) ? gone(step) : undefined) });
  expect(await recordsOf(userId)).toEqual([]);
  expect(await markers()).toEqual([userId]);
  vi.advanceTimersByTime(KV_LIST_LATE_MILLISECONDS);
  await somebodySignsUp();
  expect(await markers()).toEqual([]);
});

it('two sign-ups at once that take the same step do not disturb each other', async () => {
  const scene = await setScene();
  const userId = userIdOf(scene);
  await putLeftovers(userId, 20);
  await call(deletion, scene, { beforeStep: (step) => (step.op === 'list' ? gone(step) : undefined) });
  vi.advanceTimersByTime(KV_LIST_LATE_MILLISECONDS);
  await Promise.all([somebodySignsUp(), somebodySignsUp()]);
  expect(await recordsOf(userId)).toEqual([]);
  expect(await markers()).toEqual([]);
});

it('the response waits for no list and no delete', async () => {
  const scene = await setScene();
  const hooks = watchKV();
  const { outcome, browser } = await ask(deletion, scene, hooks);
  expect(isRedirect(outcome)).toBe(true);
  expect(hooks.taken.map(({ op }) => op)).toEqual(['get']);
  await browser.settle();
  expect(hooks.taken.map(({ op }) => op).sort()).toEqual(['delete', 'delete', 'delete', 'get', 'list']);
});

it('a refused deletion leaves no marker, nor does one that D1 loses', async () => {
  const scene = await setScene();
  const { laptop, phone } = scene;
  const event = laptop.request(storesWith({}));
  const session = await requireSession(event);
  const lost = {
    beforeStep: (step: Step) => (step.op.includes('DELETE FROM User') ? gone(step) : undefined),
  };
  expect((await call(deletion, scene, lost)).outcome).toMatchObject({ status: 503 });
  expect(await markers()).toEqual([]);
  // The laptop's session ends between the check of the session and the deletion.
  const signInAgain = laptop.request(storesWith({}));
  await signIn(signInAgain, scene.username, PASSWORD);
  await expect(deleteAccount(event, session, PASSWORD)).rejects.toMatchObject({ name: 'SessionEnded' });
  expect(await markers()).toEqual([]);
  await requireSession(phone.request(storesWith({})));
});
