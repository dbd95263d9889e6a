/**
 * How often a request waits for a store, on the app's own routes with the real KV and D1. Operations that start together count as one wait.
 * docs/consistency.md publishes these numbers.
 */
import { isHttpError } from '@sveltejs/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ACTIVE_PERIOD_MILLISECONDS,
  ADDRESS_THROTTLE,
  PROOF_PERIOD_MILLISECONDS,
  SIGN_UP_THROTTLE,
} from '$lib/server/policy';
import {
  actions as sessionActions,
  load as loadSessions,
} from '../../src/routes/(account)/sessions/+page.server';
import { Browser } from '../setup/browser';
import { COSTS, WAITS } from '../simulation/costs';
import type { StepHooks } from '../simulation/steps';
import { wavesOf } from '../simulation/waves';
import {
  ACTION_SCENARIOS,
  API_SCENARIOS,
  HEALTH,
  PAGE_SCENARIOS,
  PASSWORD,
  SESSIONS_PAGE,
  ask,
  setScene,
  signInAs,
  storesWith,
  type Scenario,
  type Scene,
} from './routes';
import { confirmSession, peekSession, signIn, signUp } from '../setup/requests';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const PEEK: Scenario = { name: 'a peek', method: 'GET', run: peekSession };
const REQUIRE: Scenario = { name: 'a confirmation', method: 'GET', run: confirmSession };
const REFUSED: Scenario = {
  ...scenario('signing in'),
  name: 'a refused sign-in',
  form: ({ username }) => ({ username, password: 'not the password' }),
};

const OPERATIONS = [
  { ...PEEK, waits: WAITS['page view (peek)'] + WAITS['the page view that asks'] },
  { ...REQUIRE, waits: WAITS['account page (require)'] },
  { ...SESSIONS_PAGE, waits: WAITS['sessions page'] },
  { ...scenario('signing up'), waits: WAITS['sign-up'] },
  {
    ...scenario('signing in over a session'),
    waits: WAITS['sign-in'] + WAITS['the session that a sign-in replaces'],
  },
  { ...REFUSED, browser: ({ laptop }: Scene) => laptop, waits: WAITS['sign-in refused'] },
  {
    ...scenario('signing in'),
    name: 'signing in from a new browser',
    waits: WAITS['sign-in'] + WAITS['sign-in from a new browser'],
  },
  {
    ...REFUSED,
    name: 'a refused sign-in from a new browser',
    waits: WAITS['sign-in refused'] + WAITS['sign-in from a new browser'],
  },
  { ...scenario('signing out'), waits: WAITS['sign-out'] },
  { ...scenario('naming a session'), waits: WAITS['name a session'] },
  { ...scenario('revoking one'), waits: WAITS['revoke one'] },
  { ...scenario('revoking some'), waits: WAITS['revoke several'] },
  { ...scenario('revoking the others'), waits: WAITS['revoke others'] },
  { ...scenario('revoking all'), waits: WAITS['revoke all'] },
  { ...scenario('changing the password'), waits: WAITS['change password'] },
  { ...scenario('deleting the account'), waits: WAITS['delete account'] },
];

function scenario(name: string): Scenario {
  const found = [...ACTION_SCENARIOS, ...API_SCENARIOS].find((one) => one.name === name);
  if (!found) throw new Error(`[waves] there is no scenario "${name}"`);
  return found;
}

/** Returns the waits of a request that succeeds. */
async function waitsOf(scenario: Scenario, scene: Scene): Promise<string[][]> {
  return wavesOf(async (hooks) => {
    const { outcome } = await ask(scenario, scene, hooks);
    // A redirect counts as a response; a failed store does not.
    if (outcome instanceof Error || isHttpError(outcome)) throw outcome;
  });
}

describe('one wait after the other', () => {
  it.each(OPERATIONS)('$name: $waits', async ({ waits, ...scenario }) => {
    expect(await waitsOf(scenario, await setScene())).toHaveLength(waits);
  });

  it.each([HEALTH, ...PAGE_SCENARIOS, scenario('GET /api/sessions')])('$name', async (scenario) => {
    const waits = WAITS[scenario.page ?? '/healthz'];
    expect(await waitsOf(scenario, await setScene())).toHaveLength(waits);
  });

  it('the API waits as often as the pages', async () => {
    const others = await waitsOf(scenario('DELETE /api/sessions'), await setScene());
    expect(others).toHaveLength(WAITS['revoke others']);
    const one = await waitsOf(scenario('DELETE /api/sessions/<another>'), await setScene());
    expect(one).toHaveLength(WAITS['revoke one']);
  });

  it('without scripts, the page after an action comes in the same response', async () => {
    const withPage: Scenario = {
      ...scenario('revoking one'),
      run: async (event) => {
        await sessionActions.revoke(event);
        return loadSessions(event);
      },
    };
    expect(await waitsOf(withPage, await setScene())).toHaveLength(
      // The record is known by then, and the ledger is asked again.
      WAITS['revoke one'] + WAITS['sessions page'],
    );
  });
});

describe('a try that is throttled', () => {
  const address = '198.51.100.77';

  it.each([
    { name: 'sign-in throttled', rule: ADDRESS_THROTTLE, attempt: signIn },
    { name: 'sign-up throttled', rule: SIGN_UP_THROTTLE, attempt: signUp },
  ] as const)('$name', async ({ name, rule, attempt }) => {
    const { username } = await setScene();
    const asked = new Browser();
    const request = (hooks: StepHooks) => asked.request({ ...storesWith(hooks), address, method: 'POST' });
    for (let n = 0; n < rule.freeFailures; n += 1) await attempt(request({}), username + n, PASSWORD);
    let event = request({});
    const waves = await wavesOf(async (hooks) => {
      event = request(hooks);
      expect(await attempt(event, username, PASSWORD)).toHaveProperty('retryAfterSeconds');
    });
    expect(waves).toHaveLength(WAITS[name]);
    expect(waves.flat()).toHaveLength(COSTS[name].trips);
    expect(event.locals.stores.meter.cost().d1Queries).toBe(COSTS[name].queries);
  });
});

describe('on top of them', () => {
  it('a renewal that is due adds its waits', async () => {
    const scene = await setScene();
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1);
    const account = await waitsOf(REQUIRE, scene);
    expect(account).toHaveLength(WAITS['account page (require)'] + WAITS['a renewal that was due']);
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1);
    expect(await waitsOf(PEEK, scene)).toHaveLength(
      WAITS['page view (peek)'] + WAITS['a renewal that was due'] + WAITS['the page view that asks'],
    );
  });

  it('asking for the password adds its waits', async () => {
    const scene = await setScene();
    vi.advanceTimersByTime(PROOF_PERIOD_MILLISECONDS + 1);
    const waves = await waitsOf({ ...scenario('revoking all'), form: () => ({ password: PASSWORD }) }, scene);
    // The session is known by then.
    const known = WAITS['account page (require)'];
    expect(waves).toHaveLength(WAITS['password again (step-up)'] + WAITS['revoke all'] - known);
  });

  it('ending several sessions at once costs one list and one batch, however many they are', async () => {
    const steps = (await waitsOf(scenario('revoking some'), await setScene())).flat();
    const count = (what: string) => steps.filter((step) => step.startsWith(`: ${what}`)).length;
    const batches = steps.filter((step) => step.startsWith('D1: '));
    const { get, list, queries, trips } = COSTS['revoke several'];
    expect(steps).toHaveLength(get + list + trips);
    expect([count('KV get'), count('KV list'), batches.length]).toEqual([get, list, trips]);
    expect(batches.flatMap((batch) => batch.split('; '))).toHaveLength(queries);
  });

  it('each other session that ends adds its wait', async () => {
    const scene = await setScene();
    for (let i = 0; i < 10; i += 1) await signInAs(scene);
    const waves = await waitsOf(scenario('revoking the others'), scene);
    expect(waves).toHaveLength(WAITS['revoke others'] + 11 * WAITS['each other session that ends']);
  });
});
