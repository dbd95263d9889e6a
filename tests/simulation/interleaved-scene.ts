/**
 * A user with two browsers, and every order in which the storage steps of their requests can happen. The app's own modules run on a KV and a
 * D1 that take one step at a time.
 */
import { afterAll, beforeAll, beforeEach, expect, vi } from 'vitest';
import { parseCookieValue } from '$lib/server/sessions/token';
import { Browser, type TestEvent } from '../setup/browser';
import { quickHash } from './histories-requests';
import { createHostileKV } from './hostile-kv';
import type { Hostility } from './hostility';
import { commute, everyInterleaving, type Interleaving, type Process } from './interleavings';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';
import type { Step, StepHooks } from './steps';
import { confirmSession, listSessions, peekSession, requireSession, signIn, signUp } from '../setup/requests';

export const START = Date.UTC(2026, 0, 1);
export const MINUTE = 60_000;
/** One test runs hundreds of orders. */
export const TIMEOUT_MILLISECONDS = 240_000;
export const PASSWORD = 'correct horse battery';
export const d1 = createSqliteD1({ migrations: readMigrations() });
const report = console.info;

/** Sets the clock and the console of a test file. Every test begins with empty stores. */
export function useScenes(): void {
  beforeAll(() => {
    // No time limit passes, so a busy machine changes nothing.
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    const nothing = () => undefined;
    vi.stubGlobal('console', { ...console, log: nothing, warn: nothing, error: nothing });
  });

  beforeEach(() => d1.reset());

  afterAll(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    d1.close();
  });
}

type Place = 'FRA' | 'SIN';

/** A user with a laptop and a phone, some time after both signed in, and the stores. */
export type Scene = {
  laptop: Browser;
  phone: Browser;
  kv: ReturnType<typeof createHostileKV>;
  request: (browser: Browser, hooks?: StepHooks, place?: Place) => TestEvent;
  /** Like `request`, but the test decides when the response arrives. */
  requestUnanswered: (browser: Browser, hooks: StepHooks) => ReturnType<Browser['requestUnanswered']>;
  cookies: { laptop: string; phone: string };
};

export async function setScene(hostility: Partial<Hostility> = {}): Promise<Scene> {
  vi.setSystemTime(START);
  d1.reset();
  const kv = createHostileKV({ seed: 7, hostility, now: () => Date.now() });
  const optionsOf = (hooks: StepHooks, place: Place) => ({
    kv: kv.place(place, hooks),
    db: d1.connect(hooks, place),
    layout: 'owner' as const,
    passwordHash: quickHash,
    users: plainUsers,
    cookieSecrets: { current: 'a secret of the simulation' },
    method: 'POST' as const,
  });
  const request: Scene['request'] = (browser, hooks = {}, place = 'FRA') =>
    browser.request(optionsOf(hooks, place));
  const requestUnanswered: Scene['requestUnanswered'] = (browser, hooks) =>
    browser.requestUnanswered(optionsOf(hooks, 'FRA'));
  const laptop = new Browser();
  const phone = new Browser();
  await signUp(request(laptop), 'ada', PASSWORD);
  await signIn(request(phone), 'ada', PASSWORD);
  return { laptop, phone, kv, request, requestUnanswered, cookies: cookiesOf({ laptop, phone }) };
}

export function cookiesOf({ laptop, phone }: { laptop: Browser; phone: Browser }) {
  return { laptop: laptop.cookie ?? '', phone: phone.cookie ?? '' };
}

/** An hour later: the phone's session is due for renewal, and the laptop's has just been renewed. */
export async function setSceneBeforeRenewal(hostility: Partial<Hostility> = {}): Promise<Scene> {
  const scene = await setScene(hostility);
  vi.setSystemTime(START + 61 * MINUTE);
  const { laptop, kv, request } = scene;
  await requireSession(request(laptop));
  if (hostility.cacheMilliseconds) {
    // Each location has read the records and keeps returning them.
    for (const place of ['FRA', 'SIN'] as const) await kv.place(place).get(keyOf(scene.cookies.phone));
  }
  return scene;
}

export const idOf = (cookie: string) => parseCookieValue(cookie)?.sessionId ?? '';
export const keyOf = (cookie: string) => `session:${idOf(cookie)}`;

/** Lets steps run freely that neither write nor decide, because their order does not matter. */
export function ungated(gate: StepHooks, isFree: (step: Step) => boolean): StepHooks {
  return {
    beforeStep: (step) => (isFree(step) ? undefined : gate.beforeStep?.(step)),
    afterStep: (step) => (isFree(step) ? undefined : gate.afterStep?.(step)),
  };
}

/** A request that is confirmed before the interleaving begins. Only its later steps take part. */
export async function confirmedRequest(scene: Scene, browser: Browser, isFree: (step: Step) => boolean) {
  let gate: StepHooks = {};
  const event = scene.request(browser, {
    beforeStep: (step) => ungated(gate, isFree).beforeStep?.(step),
    afterStep: (step) => ungated(gate, isFree).afterStep?.(step),
  });
  const session = await requireSession(event);
  const enter = (hooks: StepHooks) => {
    gate = hooks;
  };
  return { event, session, enter };
}

/** The list of the other sessions, which only serves to delete records. */
export const isListing = ({ store, op }: Step) =>
  store === 'KV' ? op === 'list' : op.startsWith('SELECT id');

/** What remains to be done after the records of a deleted account are gone. A renewal touches none of it. */
export const isMarker = ({ op, key }: Step) =>
  op === 'DELETE FROM Leftover' || key.startsWith('user_sessions:');

/** The proof of a password: the key, and the count of attempts. A renewal neither reads nor writes them. */
export const isProof = ({ op }: Step) => op === 'SELECT * FROM' || op.includes('SignInThrottle');

export const isTidying = (step: Step) =>
  isListing(step) || isMarker(step) || (step.store === 'KV' && step.op === 'delete');

/** Returns whether this cookie is accepted at either location, by a page that confirms and by a page view. */
export async function isAccepted({ request }: Scene, cookie: string): Promise<boolean> {
  const answers: boolean[] = [];
  for (const place of ['FRA', 'SIN'] as const) {
    answers.push((await confirmSession(request(new Browser().plant(cookie), {}, place))) !== null);
  }
  expect(new Set(answers).size, 'both places agree').toBe(1);
  return answers[0] === true;
}

export async function listedIds({ request }: Scene, browser: Browser): Promise<string[]> {
  const event = request(browser);
  return (await listSessions(event, await requireSession(event))).sessions.map(({ id }) => id);
}

/** Expects no session and no ledger row of a user without an account. */
export function expectNoTrace(scene: Scene): void {
  expect(scene.kv.truth()).toEqual([]);
  for (const table of ['User', 'Key', 'RevokedSession', 'SecurityEvent', 'Leftover']) {
    expect(d1.rows(`SELECT * FROM ${table}`), table).toEqual([]);
  }
}

/** Expects it dead at once, and also whenever a stale copy or a page view might show it again. */
export async function expectDead(scene: Scene, cookie: string): Promise<void> {
  expect(await isAccepted(scene, cookie)).toBe(false);
  const now = Date.now();
  for (const later of [2 * MINUTE, 62 * MINUTE]) {
    vi.setSystemTime(now + later);
    expect(await isAccepted(scene, cookie)).toBe(false);
  }
  expect(await peekSession(scene.request(new Browser().plant(cookie)))).toBeNull();
  vi.setSystemTime(now);
}

export type Run = { scene: Scene; processes: Record<string, Process> };

/** `npm run test:deep` runs every order individually, and so checks that those that `npm test` leaves out make no difference. */
const DEEP = process.env.DEEP === '1';

/**
 * Runs all orders, checks each, and logs their number. Fewer than `atLeast` means that the test no longer tests anything. Orders that
 * differ only in commuting steps count as one, except where the order of the responses matters: `apart`.
 */
export async function inEveryInterleaving(
  name: string,
  atLeast: number,
  makeRun: () => Promise<Run>,
  check: (interleaving: Interleaving<Run>) => Promise<void>,
  { apart = false } = {},
): Promise<void> {
  let count = 0;
  for await (const interleaving of everyInterleaving(makeRun, apart || DEEP ? undefined : commute)) {
    count += 1;
    try {
      await check(interleaving);
    } catch (error) {
      throw new Error(`${name}, interleaving ${count}:\n${interleaving.schedule}`, { cause: error });
    }
  }
  report(`${name}: ${count.toLocaleString('en')} interleavings`);
  expect(count).toBeGreaterThanOrEqual(atLeast);
}

/** Expects that every process ended without a store failure. A redirect to the sign-in page is a valid response. */
export function expectAnswers({ outcomes }: Interleaving<Run>, mayBeRefused: string[] = []): void {
  for (const [name, outcome] of Object.entries(outcomes)) {
    if (outcome.status === 'rejected' && mayBeRefused.includes(name)) {
      expect(outcome.reason).toMatchObject({ name: 'SessionEnded' });
    } else {
      expect(outcome).toMatchObject({ status: 'fulfilled' });
    }
  }
}

export const valueOf = ({ outcomes }: Interleaving<Run>, name: string): unknown =>
  outcomes[name]?.status === 'fulfilled' ? outcomes[name].value : undefined;

/** Returns whether the first line with one beginning comes before the first line with the other. */
export function isBefore(schedule: string, first: string, second: string): boolean {
  const lines = schedule.split('\n');
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at(first), first).toBeGreaterThanOrEqual(0);
  expect(at(second), second).toBeGreaterThanOrEqual(0);
  return at(first) < at(second);
}

export const STALE = { cacheMilliseconds: 90_000, ownWriteMissRate: 1 };
