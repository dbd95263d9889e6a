/** How the app's own routes respond to a bound session whose request has no proof. */
import { env } from 'cloudflare:workers';
import { isHttpError, isRedirect } from '@sveltejs/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { BINDING_GRACE_MILLISECONDS, PROOF_RETRIES_MAX } from '$lib/server/policy';
import { load as loadAccount } from '../../src/routes/(account)/account/+page.server';
import {
  actions as sessionActions,
  load as loadSessions,
} from '../../src/routes/(account)/sessions/+page.server';
import { actions as signInActions, load as loadSignIn } from '../../src/routes/(guest)/login/+page.server';
import { load as loadSignUp } from '../../src/routes/(guest)/signup/+page.server';
import { load as loadLayout } from '../../src/routes/+layout.server';
import { load as loadHome } from '../../src/routes/+page.server';
import { GET as getSession } from '../../src/routes/api/session/+server';
import { DELETE as deleteSessions, GET as getSessions } from '../../src/routes/api/sessions/+server';
import { actions as signOutActions } from '../../src/routes/logout/+page.server';
import { Browser } from '../setup/browser';
import { BOUND_COOKIE, bindWith, Device } from '../setup/device';
import { confirmSession, signUp } from '../setup/requests';
import { quickHash } from '../simulation/histories-requests';

const PASSWORD = 'correct horse battery';
const ORIGIN = 'https://sessions.example';
const options = {
  kv: env.SESSIONS,
  db: env.DB,
  layout: 'owner' as const,
  passwordHash: quickHash,
  cookieSecrets: { current: 'a secret' },
};

let username: string;
let laptop: Browser;
let thief: Browser;
let proof: string;
/** The names of the cookies that the last response set. */
let cookiesSet: string[];

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  laptop = new Browser();
  const event = laptop.request({ ...options, method: 'POST' });
  await signUp(event, username, PASSWORD);
  const offer = event.locals.auth.deviceKeys?.offer() ?? null;
  await bindWith(laptop, options, await Device.make(), offer);
  proof = laptop.cookieNamed(BOUND_COOKIE) ?? '';
  await env.DB.prepare('UPDATE DeviceKey SET created_at = created_at - ?1')
    .bind(BINDING_GRACE_MILLISECONDS)
    .run();
  thief = new Browser().plant(laptop.cookie ?? '');
});

type Asked = {
  path?: string;
  method?: 'GET' | 'POST' | 'DELETE';
  headers?: Record<string, string>;
  form?: Record<string, string>;
  isDataRequest?: boolean;
};

/** Calls a route as SvelteKit would. */
async function call(
  browser: Browser,
  run: (event: never) => unknown,
  { path = '/sessions', method = 'GET', headers = {}, form, isDataRequest = false }: Asked = {},
): Promise<unknown> {
  const made = browser.request({ ...options, path, method: method === 'GET' ? 'GET' : 'POST' });
  const set = vi.spyOn(made.cookies, 'set');
  const event = {
    ...made,
    request: new Request(new URL(path, ORIGIN), {
      method,
      headers: { 'user-agent': 'test', origin: ORIGIN, ...headers },
      body: form ? new URLSearchParams(form) : undefined,
    }),
    isDataRequest,
    depends: () => undefined,
    params: {},
    route: { id: path },
    setHeaders: () => undefined,
  };
  try {
    // The only cast: `event` has what the routes read, and SvelteKit's type has more.
    return await run(event as never);
  } catch (thrown) {
    return thrown;
  } finally {
    cookiesSet = set.mock.calls.map(([name]) => name);
    await browser.settle();
  }
}

/** Returns what the page does about a refusal. */
function unprovenOf(answer: unknown): 'retry' | 'sign-in' {
  if (!isHttpError(answer, 403)) throw new Error(`no 403: ${String(answer)}`);
  if (answer.body.retry) return 'retry';
  expect(answer.body.claim?.next?.href).toMatch(/^\/login\?redirectTo=%2F/);
  return 'sign-in';
}

async function notedFailures(): Promise<number> {
  const query = env.DB.prepare(
    `SELECT count(*) AS n FROM SecurityEvent JOIN User ON User.id = user_id
     WHERE username = ?1 AND type = 'device-proof-failed'`,
  );
  return (await query.bind(username).first<number>('n')) ?? -1;
}

describe('an account page without proof', () => {
  it('an account page without proof reloads itself twice and then offers to sign in, and keeps the session cookie', async () => {
    const cookie = thief.cookie;
    for (let tries = 0; tries < PROOF_RETRIES_MAX; tries += 1) {
      expect(unprovenOf(await call(thief, loadSessions))).toBe('retry');
    }
    expect(unprovenOf(await call(thief, loadAccount))).toBe('sign-in');
    expect(thief.cookie).toBe(cookie);
  });

  it('reloads are not counted once the proof is good', async () => {
    for (let tries = 0; tries <= PROOF_RETRIES_MAX; tries += 1) await call(thief, loadSessions);
    thief.plant(proof, BOUND_COOKIE);
    expect(await call(thief, loadSessions)).toMatchObject({ sessions: [{ current: true }] });
  });

  it('a background request without proof makes the browser load the page, and is not counted', async () => {
    for (let tries = 0; tries < 5; tries += 1) {
      expect(unprovenOf(await call(thief, loadSessions, { isDataRequest: true }))).toBe('retry');
    }
    expect(unprovenOf(await call(thief, loadSessions))).toBe('retry');
  });

  it('a bound cookie that proves nothing is removed; a good one and a missing one are left alone', async () => {
    thief.plant(`${Date.now() + 60_000}.${'A'.repeat(43)}`, BOUND_COOKIE);
    await call(thief, loadSessions);
    expect(thief.cookieNamed(BOUND_COOKIE)).toBeUndefined();
    await call(thief, loadSessions);
    expect(cookiesSet).toEqual(['__Host-proof-retries']);
    await call(laptop, loadSessions);
    expect(laptop.cookieNamed(BOUND_COOKIE)).toBe(proof);
  });
});

describe('an action or API call without proof', () => {
  it.each<[string, (event: never) => unknown, Record<string, string>]>([
    ['ending a session', sessionActions.revoke, { sessionId: 'any' }],
    ['naming a session', sessionActions.rename, { sessionId: 'any', name: 'mine' }],
    ['ending all', sessionActions.revokeAll, {}],
  ])('an action without proof is refused: %s', async (_, action, form) => {
    const answer = await call(thief, action, { method: 'POST', form });
    expect(unprovenOf(answer)).toBe('sign-in');
    expect(await confirmSession(laptop.request(options))).not.toBeNull();
  });

  it('an API call without proof is refused', async () => {
    for (const [run, method] of [
      [getSessions, 'GET'],
      [deleteSessions, 'DELETE'],
    ] as const) {
      const answer = await call(thief, run, { method, path: '/api/sessions' });
      expect(answer).toBeInstanceOf(Response);
      expect(answer).toMatchObject({ status: 403 });
    }
    expect(thief.cookie).toBe(laptop.cookie);
  });
});

describe('what needs no proof', () => {
  it('signing out needs no proof', async () => {
    const answer = await call(thief, signOutActions.default, { method: 'POST', path: '/logout', form: {} });
    expect(isRedirect(answer)).toBe(true);
    expect(await confirmSession(laptop.request(options))).toBeNull();
  });

  it.each([
    ['/login', loadSignIn],
    ['/signup', loadSignUp],
  ])('without proof %s shows the page for guests', async (path, load) => {
    expect(isRedirect(await call(thief, load, { path }))).toBe(false);
    expect(isRedirect(await call(laptop, load, { path }))).toBe(true);
  });

  it('a sign-in needs no proof, and replaces the session', async () => {
    const form = { username, password: PASSWORD };
    const before = laptop.cookie ?? '';
    await call(laptop.lose(BOUND_COOKIE), loadSignIn, { path: '/login' });
    expect(isRedirect(await call(laptop, signInActions.default, { method: 'POST', form }))).toBe(true);
    expect(await confirmSession(new Browser().plant(before).request(options))).toBeNull();
    expect(await confirmSession(laptop.request(options))).not.toBeNull();
  });
});

it('without proof the start page is shown and greets nobody', async () => {
  expect(isHttpError(await call(thief, loadHome, { path: '/' }))).toBe(false);
  const isUnknown = { viewer: null, viewerUnknown: true };
  expect(await call(thief, loadLayout, { path: '/' })).toMatchObject(isUnknown);
  expect(cookiesSet).toEqual([]);
});

it('a confirmation that was given with a proof is worthless without it', async () => {
  expect(await call(laptop, loadLayout, { path: '/' })).toMatchObject({ viewer: { username } });
  thief.plant(laptop.cookieNamed('__Host-confirmation') ?? '', '__Host-confirmation');
  expect(await call(thief, loadLayout, { path: '/' })).toMatchObject({ viewer: null, viewerUnknown: true });
});

it('a look without proof is answered 403 and gets no confirmation', async () => {
  expect(await call(thief, getSession, { path: '/api/session' })).toMatchObject({ status: 403 });
  expect(cookiesSet).toEqual([]);
  expect(await call(laptop, getSession, { path: '/api/session' })).toMatchObject({ status: 200 });
});

describe('the activity', () => {
  it('the activity notes missing proof once an hour, however often it is tried', async () => {
    for (let tries = 0; tries < 4; tries += 1) await call(thief, loadSessions);
    await call(thief, getSessions, { path: '/api/sessions' });
    expect(await notedFailures()).toBe(1);
    await env.DB.prepare('UPDATE SecurityEvent SET at = at - ?1')
      .bind(60 * 60 * 1_000)
      .run();
    await call(thief, loadSessions);
    expect(await notedFailures()).toBe(2);
  });

  it('the activity does not note the first request of a link from another site, nor a refresh that the server itself prevented', async () => {
    await call(new Browser().plant(laptop.cookie ?? ''), loadSessions, {
      headers: { 'sec-fetch-site': 'cross-site' },
    });
    await call(new Browser().plant(laptop.cookie ?? ''), loadSessions, {
      headers: { 'secure-session-skipped': 'unreachable' },
    });
    expect(await notedFailures()).toBe(0);
    for (let tries = 0; tries < 2; tries += 1) {
      await call(thief, loadSessions, { headers: { 'sec-fetch-site': 'cross-site' } });
    }
    expect(await notedFailures()).toBe(1);
  });
});
