/** The app's own route modules, called as SvelteKit would call them, on the real KV and D1: all the scenarios for the tests. */
import { env } from 'cloudflare:workers';
import { sessionIdFor } from '$lib/server/sessions/token';
import { load as loadActivity } from '../../src/routes/(account)/activity/+page.server';
import {
  actions as accountActions,
  load as loadAccount,
} from '../../src/routes/(account)/account/+page.server';
import { GET as getData } from '../../src/routes/(account)/account/data/+server';
import {
  actions as oneSessionActions,
  load as loadSession,
} from '../../src/routes/(account)/sessions/[id]/+page.server';
import { load as loadRecords } from '../../src/routes/(account)/kv/+page.server';
import {
  actions as sessionActions,
  load as loadSessions,
} from '../../src/routes/(account)/sessions/+page.server';
import { actions as signInActions, load as loadSignIn } from '../../src/routes/(guest)/login/+page.server';
import { actions as signUpActions } from '../../src/routes/(guest)/signup/+page.server';
import { load as loadLayout } from '../../src/routes/+layout.server';
import { GET as getSession } from '../../src/routes/api/session/+server';
import { DELETE as deleteSession } from '../../src/routes/api/sessions/[id]/+server';
import { DELETE as deleteSessions, GET as getSessions } from '../../src/routes/api/sessions/+server';
import { GET as getHealth } from '../../src/routes/healthz/+server';
import { actions as signOutActions } from '../../src/routes/logout/+page.server';
import { Browser, type TestEvent } from '../setup/browser';
import type { Page } from '../simulation/costs';
import { quickHash } from '../simulation/histories-requests';
import { observeD1 } from '../simulation/observed-d1';
import { takeStep, type Step, type StepHooks } from '../simulation/steps';
import { signIn, signUp } from '../setup/requests';

const ORIGIN = 'https://sessions.example';
export const PASSWORD = 'correct horse battery';

export type Scene = { username: string; laptop: Browser; phone: Browser };
type RouteEvent = TestEvent & {
  params: Record<string, string>;
  route: { id: string };
  setHeaders: () => void;
  depends: () => void;
};

/** A request: which browser sends it, and what it asks for. */
export type Scenario = {
  name: string;
  /** Only for pages: the page whose cost is published. */
  page?: Page;
  method?: 'GET' | 'POST' | 'DELETE';
  path?: string;
  form?: (scene: Scene) => Record<string, string>;
  params?: (scene: Scene) => Record<string, string>;
  browser?: (scene: Scene) => Browser;
  // A route's event type contains its route id. Everything that the routes read is here.
  run: (event: never) => unknown;
  /** Whether its response is a refusal even if nothing fails. */
  refused?: boolean;
  /** Whether the session's last proof of the password is too old. */
  stale?: boolean;
  /** Operations whose failure makes no difference to the visitor. */
  tidying?: (step: Step, scene: Scene) => boolean;
};

export const isDelete = ({ store, op }: Step) => store === 'KV' && op === 'delete';
/** The list of the other sessions, where it only serves to count and delete them. */
export const isListing = ({ store, op }: Step) =>
  store === 'KV' ? op === 'list' : op === 'SELECT id, reason';
const isMarker = ({ op }: Step) => op === 'DELETE FROM Leftover';
/** Reads whether KV shows the session to be ended. D1 also knows it, by its birth. */
const isOfPhone = ({ store, op, key }: Step, { phone }: Scene) =>
  store === 'KV' && (op === 'delete' || (op === 'get' && key === `session:${sessionIdOf(phone)}`));
const isTidying = (step: Step) => isDelete(step) || isListing(step) || isMarker(step);
/** KV's list of the other sessions. Without it, only this session is shown. */
const isList = ({ store, op }: Step) => store === 'KV' && op === 'list';

export const sessionIdOf = (browser: Browser) => sessionIdFor(...splitCookie(browser.cookie ?? ''));
function splitCookie(cookie: string): [string, string] {
  const [userId = '', token = ''] = cookie.split('.');
  return [userId, token];
}

const stranger = () => new Browser();

export const SESSIONS_PAGE: Scenario = {
  name: 'the sessions page',
  page: '/sessions',
  run: loadSessions,
  tidying: isList,
};
export const LAYOUT: Scenario = { name: 'the layout', method: 'GET', run: loadLayout };
export const HEALTH: Scenario = { name: '/healthz', method: 'GET', browser: stranger, run: getHealth };

export const PAGE_SCENARIOS: Scenario[] = [
  // It has no load function of its own: only the layout's greeting reads anything.
  { name: 'the home page', page: '/', run: () => null },
  { name: 'the sign-in page', page: '/login', run: loadSignIn, browser: stranger },
  SESSIONS_PAGE,
  {
    name: "a session's page",
    page: '/sessions/<id>',
    params: ({ phone }) => ({ id: sessionIdOf(phone) }),
    run: loadSession,
  },
  { name: 'the activity page', page: '/activity', run: loadActivity },
  { name: 'the account page', page: '/account', run: loadAccount, tidying: isListing },
  { name: 'the download', page: '/account/data', run: getData, tidying: isList },
  { name: 'the records page', page: '/kv', run: loadRecords, tidying: isList },
];

export const ACTION_SCENARIOS: Scenario[] = [
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
    // The ledger knows the replaced session by its birth.
    tidying: (step) => isDelete(step) || (step.store === 'KV' && step.op === 'get'),
  },
  { name: 'signing out', run: signOutActions.default, tidying: ({ store }) => store === 'KV' },
  {
    name: 'revoking one',
    form: ({ phone }) => ({ sessionId: sessionIdOf(phone) }),
    run: sessionActions.revoke,
    tidying: isOfPhone,
  },
  {
    name: 'revoking some',
    form: ({ phone }) => ({ sessionId: sessionIdOf(phone) }),
    run: sessionActions.revokeSome,
    // D1 knows them by their births.
    tidying: (step) => isDelete(step) || isList(step),
  },
  {
    name: 'saying that one was not me',
    params: ({ phone }) => ({ id: sessionIdOf(phone) }),
    form: () => ({}),
    run: oneSessionActions.notMe,
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

/** Actions when the password is needed again or is wrong, and actions together with the page behind them, as without scripts. */
export const FURTHER_SCENARIOS: Scenario[] = [
  {
    name: 'signing in with a wrong password',
    form: ({ username }) => ({ username, password: 'not the password' }),
    run: signInActions.default,
    refused: true,
    tidying: ({ store }) => store === 'KV',
  },
  {
    name: 'changing the password with a wrong one',
    form: () => ({ currentPassword: 'not the password', newPassword: 'another good password' }),
    run: accountActions.changePassword,
    refused: true,
  },
  {
    name: 'the password again, then revoking one, with the page behind it',
    stale: true,
    form: ({ phone }) => ({ sessionId: sessionIdOf(phone), password: PASSWORD }),
    run: async (event: never) => {
      await sessionActions.revoke(event);
      return loadSessions(event);
    },
    // If KV accepts no new session, the old one continues.
    tidying: (step, scene) =>
      isDelete(step) || isOfPhone(step, scene) || isList(step) || (step.store === 'KV' && step.op === 'put'),
  },
  {
    name: 'revoking the others, with the page behind it',
    form: () => ({}),
    run: async (event: never) => {
      await sessionActions.revokeOthers(event);
      return loadSessions(event);
    },
    tidying: (step) => isTidying(step) || isList(step),
  },
  {
    name: 'naming a session, with the page behind it',
    form: ({ phone }) => ({ sessionId: sessionIdOf(phone), name: 'my phone' }),
    run: async (event: never) => {
      await sessionActions.rename(event);
      return loadSessions(event);
    },
    tidying: isList,
  },
];

export const API_SCENARIOS: Scenario[] = [
  { name: 'GET /api/session', page: 'GET /api/session', method: 'GET', run: getSession },
  { name: 'GET /api/sessions', page: 'GET /api/sessions', method: 'GET', run: getSessions, tidying: isList },
  { name: 'DELETE /api/sessions', method: 'DELETE', run: deleteSessions, tidying: isTidying },
  {
    name: 'DELETE /api/sessions/<another>',
    method: 'DELETE',
    params: ({ phone }) => ({ id: sessionIdOf(phone) }),
    run: deleteSession,
    tidying: isOfPhone,
  },
  {
    name: 'DELETE /api/sessions/<own>',
    method: 'DELETE',
    params: ({ laptop }) => ({ id: sessionIdOf(laptop) }),
    run: deleteSession,
    tidying: isDelete,
  },
];

export const newName = () => `ada-${crypto.randomUUID().slice(0, 13)}`;

/** Creates a user with a session on a laptop and one on a phone. */
export async function setScene(): Promise<Scene> {
  const scene = { username: newName(), laptop: new Browser(), phone: new Browser() };
  await signUp(scene.laptop.request(storesWith({})), scene.username, PASSWORD);
  await signInAs(scene, scene.phone);
  return scene;
}

export async function signInAs({ username }: Scene, browser = new Browser()): Promise<void> {
  await signIn(browser.request(storesWith({})), username, PASSWORD);
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

/** Returns an address in a new network, so that no scene is throttled because of another one's attempts. */
const newAddress = () => `2001:db8:${crypto.randomUUID().slice(0, 4)}:${crypto.randomUUID().slice(0, 4)}::1`;

export function storesWith(hooks: StepHooks) {
  return {
    kv: observeKV(env.SESSIONS, hooks),
    db: observeD1(env.DB, hooks).db,
    layout: 'owner' as const,
    passwordHash: quickHash,
    cookieSecrets: { current: 'a secret of the tests' },
    address: newAddress(),
  };
}

export type Answer = { outcome: unknown; browser: Browser; before: string | undefined };

/** Calls the route as SvelteKit would. Returns its response after the background work is done. */
export async function call(
  scenario: Scenario,
  scene: Scene,
  hooks: StepHooks,
  db?: D1Database,
): Promise<Answer> {
  const answer = await ask(scenario, scene, hooks, db);
  await answer.browser.settle();
  return answer;
}

/** Like `call`, but the background work may still be running. */
export async function ask(
  scenario: Scenario,
  scene: Scene,
  hooks: StepHooks,
  db?: D1Database,
): Promise<Answer> {
  const { method = scenario.form || !scenario.page ? 'POST' : 'GET', path = '/sessions' } = scenario;
  const browser = scenario.browser?.(scene) ?? scene.laptop;
  const before = browser.cookie;
  const form = scenario.form?.(scene);
  const event: RouteEvent = {
    ...browser.request({
      ...storesWith(hooks),
      ...(db && { db }),
      path,
      method: method === 'GET' ? 'GET' : 'POST',
    }),
    request: new Request(new URL(path, ORIGIN), {
      method,
      headers: { 'user-agent': 'test', origin: ORIGIN },
      body: method === 'GET' || method === 'DELETE' ? undefined : new URLSearchParams(form),
    }),
    params: scenario.params?.(scene) ?? {},
    route: { id: scenario.page === '/login' ? '/(guest)/login' : (scenario.page ?? path) },
    setHeaders: () => undefined,
    depends: () => undefined,
  };
  // The only cast: `RouteEvent` has everything that the routes read, SvelteKit's type has more, and `never` fits any type that a route
  // names.
  const asRoutesSeeIt = event as never;
  try {
    // SvelteKit runs the loads of a page and of its layout at the same time.
    const isPage = scenario.page?.startsWith('/');
    const [returned] = await Promise.all([
      scenario.run(asRoutesSeeIt),
      isPage ? loadLayout(asRoutesSeeIt) : undefined,
    ]);
    return { outcome: { returned }, browser, before };
  } catch (thrown) {
    return { outcome: thrown, browser, before };
  }
}
