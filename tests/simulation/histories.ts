/**
 * Random histories of the app's own auth module over a hostile KV: several browsers, locations and users, and crashes between any two
 * storage steps. After each history, all promises are checked.
 *
 * The model beside the app (`model.ts`) knows for every session cookie that was ever set whether its session must be live, must be dead, or
 * may be either because a response was lost.
 */
import fc from 'fast-check';
import { Browser } from '../setup/browser';
import { refreshProofs, takeOffer } from './histories-bound';
import { checkEveryPromise } from './histories-checks';
import { checkCost, spent } from './histories-costs';
import { learn } from './histories-lessons';
import { perform } from './histories-requests';
import {
  CLOCKS_DIFFER_BY_MILLISECONDS,
  TRIES,
  type Act,
  type Done,
  type HistoryOptions,
  type World,
} from './histories-world';
import { createHostileKV } from './hostile-kv';
import { HOSTILE, type Hostility } from './hostility';
import { newAccount } from './model';
import { seededDraws } from './seeded-draws';
import type { StepHooks } from './steps';

export type { HistoryOptions, Tally } from './histories-world';

const PLACES = ['FRA', 'SIN', 'IAD'] as const;
/** By location: two of them differ as much as clocks may. */
const SKEWS: Record<string, number> = {
  SIN: CLOCKS_DIFFER_BY_MILLISECONDS / 2,
  IAD: -CLOCKS_DIFFER_BY_MILLISECONDS / 2,
};
const BROWSERS = 3;
const USERS = 2;
const START = Date.UTC(2026, 0, 1);

/** More than any bound of the hostile KV, plus the retries of the checks. */
const SETTLED_MILLISECONDS = 10 * 60 * 1000;

/** The longest request takes fewer storage steps than this, including its background deletes. */
const MOST_STEPS = 13;

// Some actions are more frequent than others.
// prettier-ignore
export const ACTIONS = [
  'signUp', 'signIn', 'signIn', 'signIn', 'signIn', 'signInWrong', 'peek', 'peek', 'require', 'require', 'list', 'list',
  'revoke', 'revoke', 'revokeOthers', 'revokeOthers', 'revokeAll', 'signOut', 'changePassword', 'stepUp', 'deleteAccount',
  'rename',
] as const;

const action = fc.record({
  kind: fc.constant('act' as const),
  action: fc.constantFrom(...ACTIONS),
  browser: fc.nat(BROWSERS - 1),
  place: fc.constantFrom(...PLACES),
  user: fc.nat(USERS - 1),
  /** Which of the user's sessions a revoke ends. */
  target: fc.nat(9),
  /** After how many storage steps the worker dies; `null` if it does not. */
  crashAfter: fc.oneof(
    { weight: 6, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.nat(MOST_STEPS) },
  ),
});

const SECONDS = 1_000;
const MINUTES = 60 * SECONDS;
const DAYS = 24 * 60 * MINUTES;

const wait = fc.record({
  kind: fc.constant('wait' as const),
  milliseconds: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(200, 2 * SECONDS, 30 * SECONDS, 5 * MINUTES, 61 * MINUTES) },
    { weight: 1, arbitrary: fc.constantFrom(12 * DAYS, 28 * DAYS, 32 * DAYS) },
  ),
});

/** Weeks in which every browser returns just before its session would have ended, so that the absolute limit is reached. */
const use = fc.record({ kind: fc.constant('use' as const), times: fc.integer({ min: 1, max: 4 }) });
const USE_EVERY_MILLISECONDS = 29 * DAYS;

/** Two simultaneous requests. `turns` says how long each storage step waits for its turn. */
const race = fc.record({
  kind: fc.constant('race' as const),
  first: action,
  second: action,
  turns: fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
});

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Happening = Of<typeof action> | Of<typeof wait> | Of<typeof use> | Of<typeof race>;

/** What happens, and how bad the stores are: with failures and short pages, or with neither, so that every list is one page. */
export const historyOf = (maxLength: number) =>
  fc.record({
    seed: fc.nat(),
    failing: fc.boolean(),
    happenings: fc.array(
      fc.oneof(
        { weight: 20, arbitrary: action },
        { weight: 8, arbitrary: wait },
        { weight: 4, arbitrary: race },
        { weight: 1, arbitrary: use },
      ),
      { minLength: 3, maxLength, size: 'max' },
    ),
  });

const NO_FAILURES: Partial<Hostility> = {
  failureRates: { get: 0, put: 0, delete: 0, list: 0 },
  emptyPageRate: 0,
  pageKeys: 1_000,
};

/** The chance that D1 fails before a query, and the chance that its response is lost after it. */
const D1_FAILURE_RATE = 0.015;

let histories = 0;

/** Runs one history and checks what must hold during and after it. Throws if a promise is broken. */
export async function playHistory(
  { seed, failing, happenings }: Of<ReturnType<typeof historyOf>>,
  options: HistoryOptions,
): Promise<void> {
  options.setClock(START);
  options.logged.length = 0;
  histories += 1;
  const accounts = Array.from({ length: USERS }, (_, i) => newAccount(`user-${i}-${histories}`));
  const world: World = {
    ...options,
    kv: createHostileKV({
      seed,
      hostility: failing ? HOSTILE : { ...HOSTILE, ...NO_FAILURES },
      now: () => Date.now() - world.skew,
    }),
    skew: 0,
    confirmations: [],
    lastConfirmation: new Map(),
    d1Failures: failing ? d1Failures(seed) : { count: () => 0 },
    failing,
    places: PLACES,
    browsers: Array.from({ length: BROWSERS }, () => new Browser()),
    address: `2001:db8:${(histories >> 16).toString(16)}:${(histories & 0xffff).toString(16)}::1`,
    accounts,
    allAccounts: [...accounts],
    sessions: new Map(),
    deletedRecords: new Map(),
  };
  await begin(world);
  for (const happening of happenings) await happen(world, happening);
  options.setClock(Date.now() + SETTLED_MILLISECONDS);
  await checkEveryPromise(world, () => options.setClock(Date.now() + SETTLED_MILLISECONDS));
}

/** Half of the failures come after the query took effect. For half of them, D1 is asked again where that is allowed. */
function d1Failures(seed: number): World['d1Failures'] {
  const draw = seededDraws(seed);
  let [steps, failures] = [0, 0];
  const fail = (when: string) => {
    steps += 1;
    const drawn = draw('D1', when, steps);
    if (drawn >= D1_FAILURE_RATE) return;
    failures += 1;
    const passes = drawn < D1_FAILURE_RATE / 2;
    throw new Error(passes ? 'D1_ERROR: Network connection lost.' : 'D1_ERROR: injected failure');
  };
  return { beforeStep: () => fail('before'), afterStep: () => fail('after'), count: () => failures };
}

/** Creates two users, one of them signed in on two browsers. The stores may fail here, too, so each step is repeated until it succeeds. */
async function begin(world: World): Promise<void> {
  const steps = [
    { action: 'signUp', browser: 0, user: 0 },
    { action: 'signIn', browser: 1, user: 0 },
    { action: 'signUp', browser: 2, user: 1 },
  ] as const;
  for (const step of steps) {
    const browser = world.browsers[step.browser];
    for (let tries = 0; !browser?.cookie && tries < TRIES; tries += 1) {
      const account = world.accounts[step.user];
      // A sign-up that failed half-way may have created the account. Then only a sign-in is left to do.
      const madeIt = step.action === 'signUp' && (account?.exists === 'no' || tries % 2 === 1);
      await happen(world, {
        ...step,
        kind: 'act',
        action: madeIt ? 'signUp' : 'signIn',
        place: 'FRA',
        target: 0,
        crashAfter: null,
      });
    }
  }
}

async function happen(world: World, happening: Happening): Promise<void> {
  switch (happening.kind) {
    case 'wait':
      rememberRecords(world);
      return world.setClock(Date.now() + happening.milliseconds);
    case 'use':
      for (let time = 0; time < happening.times; time += 1) await useEveryBrowser(world);
      return undefined;
    case 'act':
      return happenAlone(world, happening);
    case 'race':
      return happenAtOnce(world, happening);
  }
}

/** Saves records for the end of the history. Those that are gone by then are put back, as a stale copy would be. */
function rememberRecords({ kv, deletedRecords }: World): void {
  for (const record of kv.truth()) deletedRecords.set(record.key, record);
}

async function useEveryBrowser(world: World): Promise<void> {
  world.setClock(Date.now() + USE_EVERY_MILLISECONDS);
  for (let browser = 0; browser < BROWSERS; browser += 1) {
    const visit = {
      kind: 'act',
      action: 'require',
      place: 'FRA',
      user: 0,
      target: 0,
      crashAfter: null,
    } as const;
    await happenAlone(world, { ...visit, browser });
  }
}

async function happenAlone(world: World, act: Act): Promise<void> {
  await refreshProofs(world);
  const before = spent(world);
  const done = await withClockOf(world, act, () => perform(world, act));
  if (world.checkCosts) checkCost(world, act, done, before);
  learn(world, act, done, false);
  await takeOffer(world, act, done);
}

async function withClockOf(world: World, { place }: Act, work: () => Promise<Done>): Promise<Done> {
  world.skew = SKEWS[place] ?? 0;
  world.setClock(Date.now() + world.skew);
  try {
    return await work();
  } finally {
    world.setClock(Date.now() - world.skew);
    world.skew = 0;
  }
}

async function happenAtOnce(world: World, { first, second, turns }: Of<typeof race>): Promise<void> {
  await refreshProofs(world);
  let step = 0;
  const takeTurns: StepHooks = {
    beforeStep: async () => {
      const count = turns[step++ % turns.length] ?? 0;
      for (let turn = 0; turn < count * 4; turn += 1) await Promise.resolve();
    },
  };
  const [one, two] = await Promise.all([perform(world, first, takeTurns), perform(world, second, takeTurns)]);
  const made = [learn(world, first, one, true), learn(world, second, two, true)];
  // They may include a session that was created during a request that ends all sessions of the account.
  for (const [session, other, its] of [
    [made[0], second, two],
    [made[1], first, one],
  ] as const) {
    const endsAll = ['revokeOthers', 'revokeAll', 'changePassword', 'deleteAccount'].includes(other.action);
    if (session && endsAll && its.outcome !== 'refused' && its.actor?.account === session.account) {
      session.fate = 'unsure';
      session.endedAt = Infinity;
    }
  }
}
