/** A KV that answers reads and accepts no writes, as when the day's writes are used up (free plan). Sessions can still be ended. */
import { isHttpError } from '@sveltejs/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACTIVE_PERIOD_MILLISECONDS, PROOF_PERIOD_MILLISECONDS } from '$lib/server/policy';
import type { Browser } from '../setup/browser';
import type { StepHooks } from '../simulation/steps';
import {
  ACTION_SCENARIOS,
  PAGE_SCENARIOS,
  PASSWORD,
  call,
  setScene,
  storesWith,
  type Scenario,
} from './routes';
import { confirmSession } from '../setup/requests';

const NO_WRITES: StepHooks = {
  beforeStep: ({ store, op }) => {
    if (store === 'KV' && op === 'put') throw new Error('KV put() limit exceeded for the day.');
  },
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  vi.spyOn(console, 'error').mockImplementation(() => undefined);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Returns the action with the password, which it needs by then. */
function withPassword(name: string): Scenario {
  const scenario = ACTION_SCENARIOS.find((one) => one.name === name);
  if (!scenario) throw new Error(`there is no scenario "${name}"`);
  return { ...scenario, form: (scene) => ({ ...scenario.form?.(scene), password: PASSWORD }) };
}

const stands = async (browser: Browser) =>
  (await confirmSession(browser.request(storesWith(NO_WRITES)))) !== null;

describe('with a proof of long ago', () => {
  it('when KV accepts no writes, an old proof can be renewed to end another session; this one keeps its token', async () => {
    const scene = await setScene();
    vi.advanceTimersByTime(PROOF_PERIOD_MILLISECONDS + 1);
    const { outcome, browser, before } = await call(withPassword('revoking one'), scene, NO_WRITES);
    expect(outcome).toHaveProperty('returned.message');
    expect(browser.cookie).toBe(before);
    expect(await stands(scene.laptop)).toBe(true);
    expect(await stands(scene.phone)).toBe(false);
  });

  it('when KV accepts no writes, a proof counts for its request only', async () => {
    const scene = await setScene();
    vi.advanceTimersByTime(PROOF_PERIOD_MILLISECONDS + 1);
    await call(withPassword('revoking one'), scene, NO_WRITES);
    const again = ACTION_SCENARIOS.find(({ name }) => name === 'revoking all');
    expect((await call(again ?? withPassword('none'), scene, NO_WRITES)).outcome).toHaveProperty(
      'returned.status',
      403,
    );
  });

  it('when KV accepts no writes, all sessions can be ended', async () => {
    const scene = await setScene();
    vi.advanceTimersByTime(PROOF_PERIOD_MILLISECONDS + 1);
    await call(withPassword('revoking all'), scene, NO_WRITES);
    expect(await stands(scene.laptop)).toBe(false);
    expect(await stands(scene.phone)).toBe(false);
  });

  it('when KV accepts no writes, ending all others also ends this session, because it cannot get a new token', async () => {
    const scene = await setScene();
    vi.advanceTimersByTime(PROOF_PERIOD_MILLISECONDS + 1);
    const { outcome } = await call(withPassword('revoking the others'), scene, NO_WRITES);
    expect(isHttpError(outcome, 503)).toBe(true);
    expect(await stands(scene.laptop)).toBe(false);
    expect(await stands(scene.phone)).toBe(false);
  });
});

it.each(PAGE_SCENARIOS.filter(({ page }) => page !== '/login'))(
  'when KV accepts no writes, a session that is due for renewal stays live without it: $name',
  async (scenario) => {
    const scene = await setScene();
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1);
    const { outcome } = await call(scenario, scene, NO_WRITES);
    expect(outcome).toHaveProperty('returned');
    expect(await stands(scene.laptop)).toBe(true);
  },
);
