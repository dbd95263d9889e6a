/**
 * Every page, action and endpoint with each of its storage operations failing in turn, on the real KV and D1: throwing,
 * and never answering. The route modules themselves run, as SvelteKit would call them.
 */
import { isActionFailure, isHttpError, isRedirect } from '@sveltejs/kit';
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { signIn, signUp } from '$lib/server/auth/accounts';
import { confirmSession } from '$lib/server/auth/guards';
import { STORE_TIMEOUT_MILLISECONDS } from '$lib/server/auth/policy';
import { sessionIdFor } from '$lib/server/auth/token';
import { bindings } from '$lib/server/bindings';
import { load as loadActivity } from '../../src/routes/(account)/activity/+page.server';
import {
  actions as accountActions,
  load as loadAccount,
} from '../../src/routes/(account)/account/+page.server';
import { GET as getData } from '../../src/routes/(account)/account/data/+server';
import { load as loadRecords } from '../../src/routes/(account)/kv/+page.server';
import {
  actions as sessionActions,
  load as loadSessions,
} from '../../src/routes/(account)/sessions/+page.server';
import { actions as signInActions, load as loadSignIn } from '../../src/routes/(guest)/login/+page.server';
import { actions as signUpActions } from '../../src/routes/(guest)/signup/+page.server';
import { load as loadLayout } from '../../src/routes/+layout.server';
import { load as loadHome } from '../../src/routes/+page.server';
import { DELETE as deleteSession } from '../../src/routes/api/sessions/[id]/+server';
import { DELETE as deleteSessions, GET as getSessions } from '../../src/routes/api/sessions/+server';
import { GET as getHealth } from '../../src/routes/healthz/+server';
import { actions as signOutActions } from '../../src/routes/logout/+page.server';
import { Browser, type TestEvent } from '../setup/browser';
import { PAGES, type Cost, type Page } from '../simulation/costs';
import { quickHash } from '../simulation/histories-requests';
import { observeD1 } from '../simulation/observed-d1';
import { describeStep, takeStep, type Step, type StepHooks } from '../simulation/steps';

const ORIGIN = 'https://sessions.example';
const PASSWORD = 'correct horse battery';

/** What the app's timeout would call, of the operation that began last. */
let timeOut: () => void = () => undefined;
const errors: string[] = [];

beforeAll(() => {
  const { setTimeout } = globalThis;
  vi.stubGlobal('setTimeout', (callback: () => void, milliseconds: number) => {
    if (milliseconds === STORE_TIMEOUT_MILLISECONDS) timeOut = callback;
    return setTimeout(callback, milliseconds);
  });
  const silent = () => undefined;
  const error = (...words: unknown[]) => void errors.push(words.join(' '));
  vi.stubGlobal('console', { ...console, log: silent, warn: silent, error });
});

beforeEach(() => void (errors.length = 0));

afterAll(() => void vi.unstubAllGlobals());

type Scene = { username: string; laptop: Browser; phone: Browser };
type RouteEvent = TestEvent & { params: Record<string, string>; setHeaders: () => void };

/** What of a browser, and what its request asks for. */
type Scenario = {
  name: string;
  /** Of a page, the one whose cost is published. */
  page?: Page;
  method?: 'GET' | 'POST' | 'DELETE';
  path?: string;
  form?: (scene: Scene) => Record<string, string>;
  params?: (scene: Scene) => Record<string, string>;
  browser?: (scene: Scene) => Browser;
  // A route's own event type names its route id; what the routes read is all here.
  run: (event: never) => unknown;
  /** Operations whose failure changes nothing for the visitor. */
  tidying?: (step: Step) => boolean;
};

const isDelete = ({ store, op }: Step) => store === 'KV' && op === 'delete';
/** The list of the other sessions, where it only counts them and says what to tidy up. */
const isListing = ({ store, op }: Step) => (store === 'KV' ? op === 'list' : op === 'SELECT id FROM');
const isTidying = (step: Step) => isDelete(step) || isListing(step);

const sessionIdOf = (browser: Browser) => sessionIdFor(...splitCookie(browser.cookie ?? ''));
function splitCookie(cookie: string): [string, string] {
  const [userId = '', token = ''] = cookie.split('.');
  return [userId, token];
}

const stranger = () => new Browser();

const PAGE_SCENARIOS: Scenario[] = [
  { name: 'the home page', page: '/', run: loadHome },
  { name: 'the sign-in page', page: '/login', run: loadSignIn, browser: stranger },
  { name: 'the sessions page', page: '/sessions', run: loadSessions },
  { name: 'the activity page', page: '/activity', run: loadActivity },
  { name: 'the account page', page: '/account', run: loadAccount, tidying: isListing },
  { name: 'the download', page: '/account/data', run: getData },
  { name: 'the records page', page: '/kv', run: loadRecords },
];

const ACTION_SCENARIOS: Scenario[] = [
  {
    name: 'signing up',
    form: () => ({ username: newName(), password: PASSWORD }),
    browser: stranger,
    run: signUpActions.default,
  },
  {
    name: 'signing in',
    form: ({ username }) => ({ username, password: PASSWORD }),
    browser: stranger,
    run: signInActions.default,
  },
  {
    name: 'signing in over a session',
    form: ({ username }) => ({ username, password: PASSWORD }),
    run: signInActions.default,
    tidying: isDelete,
  },
  { name: 'signing out', run: signOutActions.default, tidying: isDelete },
  {
    name: 'revoking one',
    form: ({ phone }) => ({ sessionId: sessionIdOf(phone) }),
    run: sessionActions.revoke,
    tidying: isDelete,
  },
  {
    name: 'revoking oneself',
    form: ({ laptop }) => ({ sessionId: sessionIdOf(laptop) }),
    run: sessionActions.revoke,
    tidying: isDelete,
  },
  {
    name: 'naming a session',
    form: ({ phone }) => ({ sessionId: sessionIdOf(phone), name: 'my phone' }),
    run: sessionActions.rename,
  },
  { name: 'revoking the others', form: () => ({}), run: sessionActions.revokeOthers, tidying: isTidying },
  { name: 'revoking all', form: () => ({}), run: sessionActions.revokeAll, tidying: isTidying },
  {
    name: 'changing the password',
    form: () => ({ currentPassword: PASSWORD, newPassword: 'another good password' }),
    run: accountActions.changePassword,
    tidying: isTidying,
  },
  {
    name: 'deleting the account',
    form: () => ({ password: PASSWORD }),
    run: accountActions.deleteAccount,
    tidying: isTidying,
  },
];

const API_SCENARIOS: Scenario[] = [
  { name: 'GET /api/sessions', page: 'GET /api/sessions', method: 'GET', run: getSessions },
  { name: 'DELETE /api/sessions', method: 'DELETE', run: deleteSessions, tidying: isTidying },
  {
    name: 'DELETE /api/sessions/<another>',
    method: 'DELETE',
    params: ({ phone }) => ({ id: sessionIdOf(phone) }),
    run: deleteSession,
    tidying: isDelete,
  },
  {
    name: 'DELETE /api/sessions/<own>',
    method: 'DELETE',
    params: ({ laptop }) => ({ id: sessionIdOf(laptop) }),
    run: deleteSession,
    tidying: isDelete,
  },
];

const newName = () => `ada-${crypto.randomUUID().slice(0, 13)}`;

/** Somebody with a session on a laptop and one on a phone. */
async function setScene(): Promise<Scene> {
  const scene = { username: newName(), laptop: new Browser(), phone: new Browser() };
  await signUp(scene.laptop.request(storesWith({})), scene.username, PASSWORD);
  await signIn(scene.phone.request(storesWith({})), scene.username, PASSWORD);
  return scene;
}

const KV_OPERATIONS = ['get', 'getWithMetadata', 'put', 'delete', 'list'] as const;

function observeKV(real: KVNamespace, hooks: StepHooks): KVNamespace {
  return new Proxy(real, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      const op = KV_OPERATIONS.find((one) => one === name);
      if (!op || typeof method !== 'function') return method;
      return (...args: unknown[]) =>
        takeStep(hooks, { store: 'KV', op, key: String(args[0]), place: '' }, () =>
          Reflect.apply(method, target, args),
        );
    },
  });
}

/** From a network of its own, so that no scene is throttled for another's tries. */
const newAddress = () => `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`;

function storesWith(hooks: StepHooks) {
  return {
    kv: observeKV(env.SESSIONS, hooks),
    db: observeD1(env.DB, hooks).db,
    layout: 'owner' as const,
    passwordHash: quickHash,
    deviceSecret: 'a secret of the tests',
    address: newAddress(),
  };
}

/** Calls the route as SvelteKit would: `never` stands for whatever event type the route names. */
async function call(scenario: Scenario, scene: Scene, hooks: StepHooks): Promise<Answer> {
  const { method = scenario.form || !scenario.page ? 'POST' : 'GET', path = '/sessions' } = scenario;
  const browser = scenario.browser?.(scene) ?? scene.laptop;
  const before = browser.cookie;
  const form = scenario.form?.(scene);
  const event: RouteEvent = {
    ...browser.request({ ...storesWith(hooks), path, method: method === 'GET' ? 'GET' : 'POST' }),
    request: new Request(new URL(path, ORIGIN), {
      method,
      headers: { 'user-agent': 'test', origin: ORIGIN },
      body: method === 'GET' || method === 'DELETE' ? undefined : new URLSearchParams(form),
    }),
    params: scenario.params?.(scene) ?? {},
    setHeaders: () => undefined,
  };
  // The one cast: `RouteEvent` has what the routes read, SvelteKit's type has more.
  const asRoutesSeeIt = event as never;
  let outcome: unknown;
  try {
    outcome = { returned: await scenario.run(asRoutesSeeIt) };
    if (scenario.page?.startsWith('/')) await loadLayout(asRoutesSeeIt);
  } catch (thrown) {
    outcome = thrown;
  }
  await browser.settle();
  return { outcome, browser, before, event };
}

type Answer = { outcome: unknown; browser: Browser; before: string | undefined; event: RouteEvent };

/** The steps of a run in which nothing fails. */
async function stepsOf(scenario: Scenario): Promise<{ steps: Step[]; answer: Answer }> {
  const steps: Step[] = [];
  const scene = await setScene();
  const answer = await call(scenario, scene, { beforeStep: (step) => void steps.push(step) });
  return { steps, answer };
}

const FAILURES = {
  throws: () => Promise.reject(new Error('injected: the network is gone')),
  'never answers': () => {
    queueMicrotask(timeOut);
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

/** Fails each operation of a scenario in turn, in each way, and gives each answer with the step that failed. */
async function* eachFailure(scenario: Scenario) {
  const { steps, answer } = await stepsOf(scenario);
  expect(isAnswer(answer.outcome), `${scenario.name} works when nothing fails`).toBe(true);
  expect(steps.length).toBeGreaterThan(0);
  for (const [how, failure] of Object.entries(FAILURES)) {
    for (let index = 0; index < steps.length; index += 1) {
      const hooks = failAt(index, failure);
      const failing = await call(scenario, await setScene(), hooks);
      const step = hooks.failed();
      if (!step) throw new Error(`step ${index} was not taken again`);
      yield { ...failing, step, said: `${describeStep(step)} ${how}` };
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
  // The log names it too.
  expect(
    errors.some((line) => line.includes('store-unavailable') && line.includes(`"${store}"`)),
    said,
  ).toBe(true);
}

describe('a page whose store fails', () => {
  it.each(PAGE_SCENARIOS.filter(({ page }) => page !== '/login'))(
    'is a 503 that names the store: $name',
    async (scenario) => {
      for await (const { step, said, ...answer } of eachFailure(scenario)) {
        if (scenario.tidying?.(step)) expect(isAnswer(answer.outcome), said).toBe(true);
        else expectUnavailable(answer, step, said);
        expect(answer.browser.cookie, said).toBe(answer.before);
      }
    },
  );

  it('leaves out the greeting of the layout, and throws nothing', async () => {
    const scenario: Scenario = { name: 'the layout', method: 'GET', run: loadLayout };
    for await (const { outcome, said } of eachFailure(scenario)) {
      expect(outcome, said).toMatchObject({ returned: { viewer: null } });
    }
  });
});

describe('an action whose store fails', () => {
  it.each(ACTION_SCENARIOS)('is a 503 that names the store, and signs nobody in: $name', async (scenario) => {
    for await (const { step, said, ...answer } of eachFailure(scenario)) {
      if (scenario.tidying?.(step)) {
        expect(isAnswer(answer.outcome), `${said}: ${String(answer.outcome)}`).toBe(true);
        continue;
      }
      expectUnavailable(answer, step, said);
      expect([answer.before, undefined], said).toContain(answer.browser.cookie);
      expect(await usersWithoutKey(), said).toEqual([]);
    }
  });

  it.each(API_SCENARIOS)('is problem+json in the API: $name', async (scenario) => {
    for await (const { step, said, outcome } of eachFailure(scenario)) {
      const returned =
        outcome && typeof outcome === 'object' && 'returned' in outcome ? outcome.returned : null;
      if (!(returned instanceof Response)) throw new Error(`${said}: ${String(outcome)}`);
      if (scenario.tidying?.(step)) {
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
    expect(outcome).toMatchObject({ returned: { message: 'Session ended everywhere now.' } });
    expect(await env.SESSIONS.get(key)).not.toBeNull();
    expect(await confirmSession(new Browser().plant(cookie).request(storesWith({})))).toBeNull();
    const list = await call({ name: 'list', page: '/sessions', run: loadSessions }, scene, {});
    expect(list.outcome).toMatchObject({ returned: { sessions: [{ id: sessionIdOf(scene.laptop) }] } });
  });
});

describe('what a page costs', () => {
  it.each(PAGE_SCENARIOS)('$page is as published', async (scenario) => {
    const { steps } = await stepsOf(scenario);
    expect(costOf(steps)).toEqual(scenario.page && PAGES[scenario.page]);
  });

  it.each(API_SCENARIOS.slice(0, 1))('$name is as published', async (scenario) => {
    expect(costOf((await stepsOf(scenario)).steps)).toEqual(scenario.page && PAGES[scenario.page]);
  });

  it('/healthz is as published', async () => {
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

const HEALTH: Scenario = { name: '/healthz', method: 'GET', browser: stranger, run: getHealth };

describe('/healthz', () => {
  it('says that both stores answer', async () => {
    const { answer } = await stepsOf(HEALTH);
    expect(await healthOf(answer)).toEqual([200, { kv: 'ok', d1: 'ok' }]);
  });

  it('answers 503 and names the one that does not', async () => {
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
  // The very thing under test: an environment that lacks what its type promises.
  const platformOf = (some: Partial<Env>) => ({ env: some as Env, ctx });

  it.each([
    { is: 'no KV', some: { DB: env.DB }, says: ['"SESSIONS"', '[[kv_namespaces]]', 'wrangler.toml'] },
    { is: 'no D1', some: { SESSIONS: env.SESSIONS }, says: ['"DB"', '[[d1_databases]]', 'wrangler.toml'] },
    {
      is: 'an unknown layout',
      some: { DB: env.DB, SESSIONS: env.SESSIONS, SESSION_LAYOUT: 'tree' },
      says: ['SESSION_LAYOUT is "tree"', '"owner" or "index"', '[vars]'],
    },
  ])('is a 503 that says how to mend it: $is', ({ some, says }) => {
    let thrown: unknown;
    try {
      bindings(platformOf(some));
    } catch (error) {
      thrown = error;
    }
    if (!isHttpError(thrown, 503)) throw new Error(String(thrown));
    for (const words of says) expect(thrown.body.message).toContain(words);
  });

  it('no platform at all names the first thing to bind', () => {
    expect(() => bindings(undefined)).toThrow(expect.objectContaining({ status: 503 }));
  });
});
