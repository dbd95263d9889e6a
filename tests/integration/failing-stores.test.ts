/**
 * Every page, action and endpoint with each of its storage operations failing in turn, on the real KV and D1. Each operation fails by
 * throwing and by never answering. The route modules are called as SvelteKit would call them.
 */
import { isActionFailure, isHttpError, isRedirect } from '@sveltejs/kit';
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PROOF_PERIOD_MILLISECONDS, STORE_SLOW_MILLISECONDS, STORE_TIMEOUT_PARTS } from '$lib/server/policy';
import { BindingError, bindings } from '$lib/server/stores/bindings';
import { isRead } from '$lib/server/stores/writes';
import { Browser } from '../setup/browser';
import { PAGES, type Cost } from '../simulation/costs';
import { describeStep, type Step, type StepHooks } from '../simulation/steps';
import {
  ACTION_SCENARIOS,
  API_SCENARIOS,
  FURTHER_SCENARIOS,
  HEALTH,
  LAYOUT,
  PAGE_SCENARIOS,
  SESSIONS_PAGE,
  call,
  isDelete,
  sessionIdOf,
  setScene,
  storesWith,
  type Answer,
  type Scenario,
  type Scene,
} from './routes';
import { expectTrue, idsOf, textOf, whatStoresHold } from './what-is-claimed';
import { confirmSession } from '../setup/requests';
import { stubTimeLimit } from '../setup/time-limit';

/** Lets this many parts of the time limit pass. */
let passParts: (parts: number) => void;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  passParts = stubTimeLimit();
  const silent = () => undefined;
  vi.stubGlobal('console', { ...console, log: silent, warn: silent, error: silent });
});

afterAll(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

async function sceneFor({ stale }: Scenario): Promise<Scene> {
  vi.setSystemTime(new Date());
  const scene = await setScene();
  if (stale) vi.setSystemTime(Date.now() + PROOF_PERIOD_MILLISECONDS + 1);
  return scene;
}

/** Returns the steps of a run in which nothing fails. */
async function stepsOf(scenario: Scenario): Promise<{ steps: Step[]; answer: Answer }> {
  const steps: Step[] = [];
  const scene = await sceneFor(scenario);
  const answer = await call(scenario, scene, { beforeStep: (step) => void steps.push(step) });
  return { steps, answer };
}

const FAILURES = {
  throws: () => Promise.reject(new Error('injected: the network is gone')),
  'never answers': () => {
    passParts(STORE_TIMEOUT_PARTS);
    return new Promise<never>(() => undefined);
  },
  'takes effect, and its answer is lost': null,
};

function failAt(
  index: number,
  failure: (() => Promise<never>) | null,
): StepHooks & { failed: () => Step | undefined } {
  let taken = 0;
  let failed: Step | undefined;
  return {
    failed: () => failed,
    beforeStep: (step) => {
      taken += 1;
      if (taken - 1 !== index) return undefined;
      failed = step;
      return failure?.();
    },
    afterStep: (step) => {
      if (step === failed && !failure) throw new Error('injected: the answer is lost');
    },
  };
}

function isAnswer(outcome: unknown): boolean {
  if (isRedirect(outcome)) return true;
  if (!outcome || typeof outcome !== 'object' || !('returned' in outcome)) return false;
  const { returned } = outcome;
  return !isActionFailure(returned) && (!(returned instanceof Response) || returned.ok);
}

const reads = ({ store, op }: Step) =>
  store === 'KV' ? op !== 'put' && op !== 'delete' : op.split('; ').every(isRead);

/** Fails each operation of a scenario in turn, in each way. Yields each response with the step that failed. */
async function* eachFailure(scenario: Scenario) {
  const { steps, answer } = await stepsOf(scenario);
  expect(isAnswer(answer.outcome), `${scenario.name} works when nothing fails`).toBe(!scenario.refused);
  expect(steps.length).toBeGreaterThan(0);
  for (const [how, failure] of Object.entries(FAILURES)) {
    for (const [index, planned] of steps.entries()) {
      // For a read, losing the response is the same as failing.
      if (!failure && reads(planned)) continue;
      const hooks = failAt(index, failure);
      const scene = await sceneFor(scenario);
      const ids = idsOf(scene);
      const held = await whatStoresHold(ids);
      const failing = await call(scenario, scene, hooks);
      const step = hooks.failed();
      if (!step) throw new Error(`step ${index} was not taken again`);
      const said = `${describeStep(step)} ${how}`;
      const text = await textOf(failing.outcome);
      if (text !== null) {
        await expectTrue(text, {
          before: held,
          after: await whatStoresHold(ids),
          ids,
          browser: failing.browser,
          step,
          said: `${said}: ${text}`,
        });
      }
      yield { ...failing, scene, step, said };
    }
  }
}

async function usersWithoutKey(): Promise<unknown[]> {
  const query = 'SELECT id FROM User WHERE id NOT IN (SELECT user_id FROM Key)';
  return (await env.DB.prepare(query).all()).results;
}

function expectUnavailable({ outcome }: Answer, { store }: Step, said: string): void {
  expect(isHttpError(outcome, 503), `${said}: ${String(outcome)}`).toBe(true);
  if (!isHttpError(outcome)) return;
  expect(outcome.body.store, said).toBe(store);
  expect(outcome.body.message, said).toContain(store === 'KV' ? 'Workers KV' : 'D1');
}

/** The thread reads a store's response in several turns. On a busy thread, a timer may fire before each of them. */
const TURNS = 3;

describe('a page whose thread is busy', () => {
  it('a busy thread does not make a page fail, however late its timers fire', async () => {
    const beforeStep = () => passParts(TURNS);
    for (const scenario of PAGE_SCENARIOS) {
      const { outcome } = await call(scenario, await setScene(), { beforeStep });
      expect(isAnswer(outcome), scenario.name).toBe(true);
    }
  });
});

describe('a page whose store fails', () => {
  it.each(PAGE_SCENARIOS.filter(({ page }) => page !== '/login' && page !== '/'))(
    'a page whose store fails is a 503 that names the store: $name',
    async (scenario) => {
      for await (const { scene, step, said, ...answer } of eachFailure(scenario)) {
        if (scenario.tidying?.(step, scene)) expect(isAnswer(answer.outcome), said).toBe(true);
        else expectUnavailable(answer, step, said);
        expect(answer.browser.cookie, said).toBe(answer.before);
      }
    },
  );

  it('if the layout’s store fails, the viewer is unknown, nothing is thrown and nothing is cleared', async () => {
    for await (const { outcome, said, ...answer } of eachFailure(LAYOUT)) {
      expect(outcome, said).toMatchObject({ returned: { viewer: null, viewerUnknown: true } });
      expect(answer.browser.cookie, said).toBe(answer.before);
    }
  });
});

describe('an action whose store fails', () => {
  it.each([...ACTION_SCENARIOS, ...FURTHER_SCENARIOS])(
    'an action whose store fails is a 503 that names the store and says only what is true, and signs nobody in: $name',
    async (scenario) => {
      for await (const { scene, step, said, ...answer } of eachFailure(scenario)) {
        if (scenario.tidying?.(step, scene)) {
          expect(isAnswer(answer.outcome), `${said}: ${String(answer.outcome)}`).toBe(!scenario.refused);
          continue;
        }
        expectUnavailable(answer, step, said);
        // If the response sets a cookie, it is that of a live session: what came before the failure is done.
        if (![answer.before, undefined].includes(answer.browser.cookie)) {
          expect(await confirmSession(answer.browser.request(storesWith({}))), said).not.toBeNull();
        }
        expect(await usersWithoutKey(), said).toEqual([]);
      }
    },
  );

  it.each(API_SCENARIOS)('an API call whose store fails gets problem+json: $name', async (scenario) => {
    for await (const { scene, step, said, outcome } of eachFailure(scenario)) {
      const returned =
        outcome && typeof outcome === 'object' && 'returned' in outcome ? outcome.returned : null;
      if (!(returned instanceof Response)) throw new Error(`${said}: ${String(outcome)}`);
      if (scenario.tidying?.(step, scene)) {
        expect(returned.ok, said).toBe(true);
        continue;
      }
      expect(returned.status, said).toBe(503);
      expect(returned.headers.get('content-type'), said).toBe('application/problem+json');
      expect(await returned.json(), said).toMatchObject({
        status: 503,
        detail: expect.stringContaining(step.store === 'KV' ? 'Workers KV' : 'D1'),
      });
    }
  });

  it('a revoke whose KV delete fails is still a revoke', async () => {
    const scene = await setScene();
    const cookie = scene.phone.cookie ?? '';
    const key = `session:${sessionIdOf(scene.phone)}`;
    const scenario = ACTION_SCENARIOS.find(({ name }) => name === 'revoking one');
    if (!scenario) throw new Error('no such scenario');
    let failures = 0;
    const { outcome } = await call(scenario, scene, {
      beforeStep: (step) => {
        if (!isDelete(step)) return;
        failures += 1;
        throw new Error('injected: KV is gone');
      },
    });
    expect(failures).toBe(1);
    expect(outcome).toMatchObject({ returned: { message: 'Ended: Chrome on Linux, Berlin, Germany.' } });
    expect(await env.SESSIONS.get(key)).not.toBeNull();
    expect(await confirmSession(new Browser().plant(cookie).request(storesWith({})))).toBeNull();
    const list = await call(SESSIONS_PAGE, scene, {});
    expect(list.outcome).toMatchObject({ returned: { sessions: [{ id: sessionIdOf(scene.laptop) }] } });
  });

  it.each(['revoking the others', 'changing the password'])(
    '%s leaves no session with a token that nobody has, even if the ledger’s response is lost',
    async (name) => {
      const scenario = ACTION_SCENARIOS.find((one) => one.name === name);
      if (!scenario) throw new Error('no such scenario');
      const scene = await setScene();
      const userId = sessionIdOf(scene.laptop).split('.')[0] ?? '';
      let lost = 0;
      await call(scenario, scene, {
        afterStep: ({ op }) => {
          if (!op.includes('UPDATE User')) return;
          lost += 1;
          throw new Error('injected: the answer is lost');
        },
      });
      expect(lost).toBe(1);
      const epoch = await env.DB.prepare('SELECT session_epoch FROM User WHERE id = ?')
        .bind(userId)
        .first('session_epoch');
      expect(epoch).not.toBe(0);
      const { keys } = await env.SESSIONS.list<{ epoch: number }>({ prefix: `session:${userId}.` });
      expect(keys.filter(({ metadata }) => metadata?.epoch === epoch)).toEqual([]);
    },
  );
});

describe('an action whose new session KV took, with the answer lost', () => {
  it.each(['signing in over a session', 'revoking the others', 'changing the password'])(
    'if KV stored the new session but its response is lost, no session is left that no browser has: %s',
    async (name) => {
      const scenario = ACTION_SCENARIOS.find((one) => one.name === name);
      if (!scenario) throw new Error('no such scenario');
      const scene = await setScene();
      const had = [scene.laptop, scene.phone].map(sessionIdOf);
      const userId = had[0]?.split('.')[0] ?? '';
      let lost = 0;
      const { outcome } = await call(scenario, scene, {
        afterStep: ({ store, op }) => {
          if (store !== 'KV' || op !== 'put') return;
          lost += 1;
          throw new Error('injected: the answer is lost');
        },
      });
      expect(lost).toBe(1);
      expect(outcome).toMatchObject({ status: 503 });
      const { keys } = await env.SESSIONS.list({ prefix: `session:${userId}.` });
      const kept = keys.map(({ name: key }) => key.slice('session:'.length));
      expect(kept.filter((id) => !had.includes(id))).toEqual([]);
    },
  );
});

describe('what a page costs', () => {
  it.each(PAGE_SCENARIOS)('the published cost is right: $page', async (scenario) => {
    const { steps } = await stepsOf(scenario);
    expect(costOf(steps)).toEqual(scenario.page && PAGES[scenario.page]);
  });

  it.each(API_SCENARIOS.slice(0, 1))('the published cost is right: $name', async (scenario) => {
    expect(costOf((await stepsOf(scenario)).steps)).toEqual(scenario.page && PAGES[scenario.page]);
  });

  it('the published cost of /healthz is right', async () => {
    expect(costOf((await stepsOf(HEALTH)).steps)).toEqual(PAGES['/healthz']);
  });
});

function costOf(steps: Step[]): Cost {
  const kv = (op: string) => steps.filter((step) => step.store === 'KV' && step.op === op).length;
  const d1 = steps.filter(({ store }) => store === 'D1');
  const queries = d1.reduce((sum, { op }) => sum + op.split('; ').length, 0);
  return {
    get: kv('get'),
    put: kv('put'),
    delete: kv('delete'),
    list: kv('list'),
    queries,
    trips: d1.length,
  };
}

describe('/healthz', () => {
  it('/healthz says that both stores answer', async () => {
    const { answer } = await stepsOf(HEALTH);
    expect(await healthOf(answer)).toEqual([200, { kv: 'ok', d1: 'ok' }]);
  });

  it.each([
    { store: 'KV', expected: { kv: 'slow', d1: 'ok' } },
    { store: 'D1', expected: { kv: 'ok', d1: 'slow' } },
  ])('/healthz says which store is slow, and that it is not down: $store', async ({ store, expected }) => {
    const answer = await call(HEALTH, await setScene(), {
      afterStep: (step) => {
        if (step.store !== store) return undefined;
        // The other store has responded by then.
        return new Promise((resolve) => {
          setTimeout(() => {
            vi.setSystemTime(Date.now() + STORE_SLOW_MILLISECONDS);
            resolve();
          }, 50);
        });
      },
    });
    expect(await healthOf(answer)).toEqual([200, expected]);
  });

  it('/healthz responds with 503 and names the store that does not answer', async () => {
    for await (const { step, said, ...answer } of eachFailure(HEALTH)) {
      const expected = step.store === 'KV' ? { kv: 'down', d1: 'ok' } : { kv: 'ok', d1: 'down' };
      expect(await healthOf(answer), said).toEqual([503, expected]);
    }
  });

  async function healthOf({ outcome }: Answer): Promise<[number, unknown]> {
    const returned =
      outcome && typeof outcome === 'object' && 'returned' in outcome ? outcome.returned : null;
    if (!(returned instanceof Response)) throw new Error(String(outcome));
    return [returned.status, await returned.json()];
  }
});

describe('a binding that is missing or wrong', () => {
  const ctx = createExecutionContext();
  // The subject of this test: an environment that lacks what its type promises.
  const platformOf = (some: Partial<Env>) => ({ env: some as Env, ctx });

  it.each([
    { is: 'no KV', some: { DB: env.DB }, says: ['"SESSIONS"', '[[kv_namespaces]]', 'wrangler.toml'] },
    { is: 'no D1', some: { SESSIONS: env.SESSIONS }, says: ['"DB"', '[[d1_databases]]', 'wrangler.toml'] },
    {
      is: 'an unknown layout',
      some: { DB: env.DB, SESSIONS: env.SESSIONS, SESSION_LAYOUT: 'tree' },
      says: ['SESSION_LAYOUT is "tree"', '"owner" or "index"', '[vars]'],
    },
  ])('the error says how to fix a wrong binding: $is', ({ some, says }) => {
    let thrown: unknown;
    try {
      bindings(platformOf(some));
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof BindingError)) throw new Error(String(thrown));
    for (const words of says) expect(thrown.message).toContain(words);
  });

  it('the cookie secrets come from the environment, and a previous one alone is none', () => {
    const stores = { DB: env.DB, SESSIONS: env.SESSIONS };
    const secretsIn = (some: Partial<Env>) => bindings(platformOf({ ...stores, ...some })).cookieSecrets;
    const both = { COOKIE_SECRET: 'the next', COOKIE_SECRET_PREVIOUS: 'the last' };
    expect(secretsIn(both)).toEqual({ current: 'the next', previous: 'the last' });
    expect(secretsIn({ COOKIE_SECRET_PREVIOUS: 'the last' })).toBeUndefined();
  });

  it('without any platform, the error names the first thing to bind', () => {
    expect(() => bindings(undefined)).toThrow(BindingError);
  });
});
