/**
 * A D1 that loses a connection, is reset, or is silent for a second. Statements that may be repeated are sent again once; the others are
 * not. Whatever D1 did with the first attempt, the change happens exactly once.
 */
import { env } from 'cloudflare:workers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { D1_RETRY_PARTS } from '$lib/server/policy';
import { guardStores, StoreUnavailable } from '$lib/server/stores/guarded';
import { isPassing } from '$lib/server/stores/in-time';
import { isRead, WRITES } from '$lib/server/stores/writes';
import { confirmSession } from '../setup/requests';
import type { Step, StepHooks } from '../simulation/steps';
import {
  ACTION_SCENARIOS,
  API_SCENARIOS,
  PAGE_SCENARIOS,
  call,
  setScene,
  storesWith,
  type Scenario,
} from './routes';
import { stubTimeLimit } from '../setup/time-limit';
import { idsOf, textOf, whatStoresHold, type Held } from './what-is-claimed';

const PASSES = 'D1_ERROR: Network connection lost.';

/** The lines of the log. */
const lines: string[] = [];
let secondsAhead = 0;
/** Lets a second of silence pass for the operation that started last. */
let passSecond: () => void;

beforeAll(() => {
  const passParts = stubTimeLimit();
  passSecond = () => passParts(D1_RETRY_PARTS);
  const silent = () => undefined;
  vi.stubGlobal('console', {
    ...console,
    log: silent,
    warn: silent,
    error: (line: string) => void lines.push(line),
  });
});

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  // More than a second after anything that was logged before.
  secondsAhead += 2;
  vi.setSystemTime(Date.now() + secondsAhead * 1_000);
  lines.length = 0;
});

afterEach(() => void vi.useRealTimers());
afterAll(() => void vi.unstubAllGlobals());

/** The ways in which D1 fails at one step. If the step is sent again, it succeeds. */
const STUMBLES: Record<string, (fits: (step: Step) => boolean) => StepHooks> = {
  'an error before it took effect': (fits) => ({
    beforeStep: once(fits, () => {
      throw new Error(PASSES);
    }),
  }),
  'an error after it took effect': (fits) => ({
    afterStep: once(fits, () => {
      throw new Error(PASSES);
    }),
  }),
  'a second of silence, in which it is lost': (fits) => ({
    beforeStep: once(fits, () => {
      passSecond();
      return new Promise<never>(() => undefined);
    }),
  }),
  'a second of silence after it took effect': (fits) => ({
    afterStep: once(fits, () => {
      passSecond();
      return new Promise<never>(() => undefined);
    }),
  }),
};

function once(
  fits: (step: Step) => boolean,
  then: () => Promise<never>,
): (step: Step) => Promise<void> | undefined {
  let isOver = false;
  return (step) => {
    if (isOver || !fits(step)) return undefined;
    isOver = true;
    return then();
  };
}

/** Returns the state of a scene without its random values. */
function comparable({ users: _, epoch, ended, events, records, hash }: Held) {
  return {
    epoch: epoch === null ? 'gone' : epoch === 0 ? 'as it was' : 'raised',
    ended: Object.values(ended).sort(),
    events: events.map((event) => JSON.stringify(event).replace(/"session_id":.*/, '')),
    records: Object.keys(records).length,
    hash: hash === null ? 'gone' : String(hash).replace(/^\d+:/, ''),
  };
}

async function run(scenario: Scenario, hooks: StepHooks) {
  const scene = await setScene();
  const ids = idsOf(scene);
  const steps: Step[] = [];
  const answer = await call(scenario, scene, {
    beforeStep: (step) => {
      steps.push(step);
      return hooks.beforeStep?.(step);
    },
    afterStep: hooks.afterStep,
  });
  const stillIn = await confirmSession(answer.browser.request(storesWith({})));
  return {
    steps,
    text: await textOf(answer.outcome),
    holds: comparable(await whatStoresHold(ids)),
    stillIn: stillIn !== null,
  };
}

const ledger = (words: RegExp) => (step: Step) => step.store === 'D1' && words.test(step.op);

const REPEATED = [
  { name: 'signing out', write: 'sign-out', fits: ledger(/INSERT INTO RevokedSession/) },
  { name: 'revoking one', write: 'end-one', fits: ledger(/INSERT INTO RevokedSession/) },
  { name: 'revoking some', write: 'end-some', fits: ledger(/INSERT INTO RevokedSession/) },
  { name: 'revoking the others', write: 'end-others', fits: ledger(/UPDATE User/) },
  { name: 'revoking all', write: 'end-all', fits: ledger(/UPDATE User/) },
  { name: 'changing the password', write: 'change-password', fits: ledger(/UPDATE User/) },
] as const;

const NOT_REPEATED = [
  { name: 'signing up', write: 'sign-up', fits: ledger(/INSERT INTO User/) },
  { name: 'signing in', write: 'sign-in', fits: ledger(/INSERT INTO SecurityEvent/) },
  { name: 'deleting the account', write: 'delete-account', fits: ledger(/DELETE FROM User/) },
] as const;

function scenarioOf(name: string): Scenario {
  const found = [...ACTION_SCENARIOS, ...API_SCENARIOS].find((one) => one.name === name);
  if (!found) throw new Error(`there is no scenario "${name}"`);
  return found;
}

describe.each(Object.entries(STUMBLES))('%s', (_, stumble) => {
  it.each(REPEATED)('$name: is sent again, and has happened once', async ({ name, write, fits }) => {
    expect(WRITES[write].again).toBe(true);
    const scenario = scenarioOf(name);
    const well = await run(scenario, {});
    const stumbled = await run(scenario, stumble(fits));
    expect(stumbled.text).toBeNull();
    expect(stumbled.steps.filter(fits).length).toBe(well.steps.filter(fits).length + 1);
    expect(stumbled.holds).toEqual(well.holds);
    expect(stumbled.stillIn).toBe(well.stillIn);
  });
});

describe('an error that passes', () => {
  it.each(NOT_REPEATED)('$name: is not sent again', async ({ name, write, fits }) => {
    expect(WRITES[write].again).toBe(false);
    const stumble = STUMBLES['an error after it took effect'];
    const { steps, text } = await run(scenarioOf(name), stumble?.(fits) ?? {});
    expect(steps.filter(fits)).toHaveLength(1);
    expect(text).not.toBeNull();
  });

  it.each([
    ...PAGE_SCENARIOS.filter(({ page }) => page !== '/' && page !== '/login'),
    scenarioOf('GET /api/sessions'),
  ])('a passing error is not seen on a page, wherever it occurs: $name', async (scenario) => {
    const { steps } = await run(scenario, {});
    const reads = steps.filter(({ store }) => store === 'D1').length;
    expect(reads).toBeGreaterThan(0);
    for (let at = 0; at < reads; at += 1) {
      let seen = 0;
      const fits = ({ store }: Step) => store === 'D1' && seen++ === at;
      const { text, steps: taken } = await run(
        scenario,
        STUMBLES['an error before it took effect']?.(fits) ?? {},
      );
      expect(text, `${at}`).toBeNull();
      expect(taken.length, `${at}`).toBe(steps.length + 1);
    }
  });

  it('a repeated statement is counted in Server-Timing and logged', async () => {
    const scene = await setScene();
    const event = scene.laptop.request(
      storesWith(STUMBLES['an error before it took effect']?.(({ store }) => store === 'D1') ?? {}),
    );
    expect(await confirmSession(event)).not.toBeNull();
    const timing = event.locals.stores.meter.serverTiming();
    expect(timing).toContain('d1-query;desc="2"');
    expect(timing).toContain('d1-retry;desc="1"');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'store-asked-again', store: 'D1', operation: 'first', message: PASSES },
    ]);
  });

  it('if the error comes twice, the store is down, and nobody is signed in', async () => {
    const scene = await setScene();
    let tries = 0;
    const event = scene.laptop.request(
      storesWith({
        beforeStep: ({ store }) => {
          if (store !== 'D1') return undefined;
          tries += 1;
          throw new Error(PASSES);
        },
      }),
    );
    await expect(confirmSession(event)).rejects.toThrow(StoreUnavailable);
    expect(tries).toBe(2);
  });
});

describe('what D1 is not asked again for', () => {
  it.each([
    ['an error that does not pass', 'D1_ERROR: no such table: User: SQLITE_ERROR'],
    ['a database that has too much to do', 'D1_ERROR: D1 DB is overloaded. Too many requests queued.'],
  ])('D1 is not asked again: %s', async (_, message) => {
    expect(isPassing(new Error(message))).toBe(false);
    let tries = 0;
    const scene = await setScene();
    const event = scene.laptop.request(
      storesWith({
        beforeStep: ({ store }) => {
          if (store !== 'D1') return undefined;
          tries += 1;
          throw new Error(message);
        },
      }),
    );
    await expect(confirmSession(event)).rejects.toThrow(StoreUnavailable);
    expect(tries).toBe(1);
  });

  it('a statement without time left for it is not sent again', async () => {
    let tries = 0;
    const { db } = storesWith({
      beforeStep: () => {
        tries += 1;
        throw new Error(PASSES);
      },
    });
    const { dbOnce } = guardStores(env.SESSIONS, db);
    await expect(dbOnce.prepare('SELECT 1').first()).rejects.toThrow(StoreUnavailable);
    expect(tries).toBe(1);
  });

  it('a statement that changes something is not sent again, whatever it begins with', () => {
    expect(isRead('SELECT 1')).toBe(true);
    expect(isRead("SELECT replace(username, 'a', 'b') FROM User")).toBe(true);
    expect(isRead('  with line AS (SELECT 1) SELECT * FROM line')).toBe(true);
    expect(isRead('WITH old AS (SELECT 1) DELETE FROM User')).toBe(false);
    expect(isRead('INSERT INTO User SELECT 1')).toBe(false);
  });
});

describe('the log', () => {
  it('the log has one line per second, which says how many repetitions it stands for', async () => {
    const failing = storesWith({
      beforeStep: () => {
        throw new Error('injected');
      },
    });
    const ask = () =>
      guardStores(failing.kv, failing.db)
        .kv.get('x')
        .catch(() => null);
    for (let n = 0; n < 5; n += 1) await ask();
    expect(lines).toHaveLength(1);
    vi.setSystemTime(Date.now() + 1_000);
    await ask();
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: 'store-unavailable', store: 'KV', operation: 'get' },
      { event: 'store-unavailable', store: 'KV', operation: 'get', more: 4 },
    ]);
  });
});
