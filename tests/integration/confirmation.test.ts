/** The confirmation: the ledger's yes, signed. It greets for a minute without a store, and decides nothing. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACTIVE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { createSigner } from '$lib/server/sessions/signer';
import { load } from '../../src/routes/+layout.server';
import { Browser, CONFIRMATION_COOKIE } from '../setup/browser';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  peekSession,
  requireSession,
  revokeAllSessions,
  revokeOtherSessions,
  signIn,
  signOut,
  signUp,
  stepUp,
} from '../setup/requests';
import type { Step, StepHooks } from '../simulation/steps';
import { call, newName, PASSWORD, sessionIdOf, setScene, storesWith, type Scene } from './routes';

const MINUTE = 60_000;
const SECRET = 'a secret of the tests';

let scene: Scene;
/** Another user, on other browsers. */
let another: Scene;
let steps: Step[];

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  vi.spyOn(console, 'warn').mockReturnValue(undefined);
  steps = [];
  scene = await setScene();
  another = await setScene();
});

afterEach(() => {
  vi.useRealTimers();
});

const counted: StepHooks = { beforeStep: (step) => void steps.push(step) };
const get = (browser: Browser, hooks: StepHooks = counted) => browser.request(storesWith(hooks));
const post = (browser: Browser) => browser.request({ ...storesWith({}), method: 'POST' });

/** Loads a page view. Returns its result and its storage operations. */
async function view(browser = scene.laptop) {
  steps = [];
  const viewer = await peekSession(get(browser));
  await browser.settle();
  return { viewer, asked: steps.map(({ store, op }) => `${store} ${op.split(' ')[0]}`).toSorted() };
}

const ASKED = ['D1 SELECT', 'KV get'];
const greeted = () => ({ username: scene.username });

/** Decodes a confirmation cookie. */
function read(value = ''): Record<string, unknown> {
  const [body = ''] = value.split('.');
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
}

/** Makes a confirmation of this browser's session, signed as the app signs, with parts of it changed. */
function forge(changes: Record<string, unknown>, browser = scene.laptop, secret = SECRET): string {
  const now = Date.now();
  const said = { v: 1, username: scene.username, confirmed_at: now, renew_at: now + MINUTE, ...changes };
  const body = Buffer.from(JSON.stringify(said)).toString('base64url');
  const [userId = '', token = ''] = (browser.cookie ?? '').split('.');
  const signer = createSigner({ current: secret }, 'https://sessions.example');
  const mac = signer?.sign('confirmation', userId, token, '', body);
  return `${body}.${mac}`;
}

describe('a page view', () => {
  it('a page view asks the stores once and then not again for 60 seconds', async () => {
    expect(await view()).toEqual({ viewer: greeted(), asked: ASKED });
    expect(await view()).toEqual({ viewer: greeted(), asked: [] });
    vi.advanceTimersByTime(MINUTE - 1);
    expect(await view()).toEqual({ viewer: greeted(), asked: [] });
    vi.advanceTimersByTime(1);
    expect(await view()).toEqual({ viewer: greeted(), asked: ASKED });
  });

  it('a page view asks no store after an account page was served', async () => {
    await requireSession(get(scene.laptop));
    expect(await view()).toEqual({ viewer: greeted(), asked: [] });
  });

  it('a page view asks the stores, and renews, once the session is due for renewal', async () => {
    await view();
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS - 30_000);
    await view();
    // The confirmation is 40 seconds old, and the active hour is over.
    vi.advanceTimersByTime(40_000);
    const { viewer, asked } = await view();
    expect(viewer).toEqual(greeted());
    expect(asked).toEqual(['D1 SELECT', 'D1 SELECT', 'KV get', 'KV put']);
    expect(await view()).toEqual({ viewer: greeted(), asked: [] });
  });

  it('without a secret, a page view asks the stores each time and sets no cookie', async () => {
    for (let i = 0; i < 2; i += 1) {
      const event = scene.laptop.request({ ...storesWith(counted), cookieSecrets: undefined });
      steps = [];
      expect(await peekSession(event)).toEqual(greeted());
      expect(steps).toHaveLength(2);
    }
    expect(scene.laptop.confirmation).toBeUndefined();
  });
});

describe('the cookie', () => {
  it('the confirmation cookie says who, when to renew, and since when: the time before the ledger was asked', async () => {
    const before = Date.now();
    await requireSession(
      get(scene.laptop, {
        beforeStep: ({ store }) => void (store === 'D1' && vi.advanceTimersByTime(7_000)),
      }),
    );
    const said = read(scene.laptop.confirmation);
    expect(said).toEqual({
      v: 1,
      username: scene.username,
      confirmed_at: before,
      renew_at: expect.any(Number),
    });
    expect(Number(said.renew_at)).toBeLessThanOrEqual(before + ACTIVE_PERIOD_MILLISECONDS);
    expect(scene.laptop.confirmation).toMatch(/^[\w-]+\.[\w-]{43}$/);
  });

  it('a confirmation is worthless with another session, a changed text or another secret; the stores are then asked', async () => {
    await view(scene.phone);
    const [body = '', mac = ''] = (scene.phone.confirmation ?? '').split('.');
    const other = Buffer.from(JSON.stringify({ ...read(body), username: 'eve' })).toString('base64url');
    for (const value of [
      scene.phone.confirmation ?? '',
      `${other}.${mac}`,
      `${body}.${'A'.repeat(43)}`,
      `${body}.`,
      body,
      '.',
      '',
      forge({}, scene.phone),
      forge({}, scene.laptop, 'another secret'),
      forge({ v: 2 }),
      forge({ confirmed_at: Date.now() - MINUTE }),
      forge({ confirmed_at: Date.now() + 2_001 }),
      forge({ renew_at: Date.now() }),
      forge({ username: 'x'.repeat(1_024) }),
    ]) {
      const cookie = scene.laptop.cookie;
      scene.laptop.plant(value, CONFIRMATION_COOKIE);
      expect(await view(), value).toEqual({ viewer: greeted(), asked: ASKED });
      expect(scene.laptop.cookie).toBe(cookie);
    }
  });

  it('a confirmation with any one character changed, missing or added is worthless', async () => {
    await view();
    const genuine = scene.laptop.confirmation ?? '';
    const edits = [...genuine].flatMap((character, at) => {
      const [before, after] = [genuine.slice(0, at), genuine.slice(at + 1)];
      const other = character === 'A' ? 'B' : 'A';
      return [`${before}${other}${after}`, `${before}${after}`, `${before}${other}${character}${after}`];
    });
    for (const edited of [...edits, `${genuine}A`, `${genuine}=`]) {
      scene.laptop.plant(edited, CONFIRMATION_COOKIE);
      expect((await view()).asked, edited).toEqual(ASKED);
    }
    scene.laptop.plant(genuine, CONFIRMATION_COOKIE);
    expect((await view()).asked).toEqual([]);
  });

  it('a confirmation from a machine whose clock is two seconds ahead is accepted', async () => {
    scene.laptop.plant(forge({ confirmed_at: Date.now() + 2_000 }), CONFIRMATION_COOKIE);
    expect(await view()).toEqual({ viewer: greeted(), asked: [] });
  });

  it('a confirmation is worthless without its session cookie, or with one whose owner or token was changed', async () => {
    await view();
    const browserWith = (cookie: string) =>
      new Browser().plant(cookie).plant(scene.laptop.confirmation ?? '', CONFIRMATION_COOKIE);
    const [userId, token = ''] = (scene.laptop.cookie ?? '').split('.');
    expect(await view(browserWith(`${userId}.${token}`))).toEqual({ viewer: greeted(), asked: [] });
    expect(await view(browserWith(''))).toEqual({ viewer: null, asked: [] });
    for (const changed of [
      `another-user.${token}`,
      `${userId}.${token.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'))}`,
    ]) {
      expect(await view(browserWith(changed)), changed).toEqual({ viewer: null, asked: ASKED });
    }
  });

  it('a confirmation is never accepted where something is decided, however well it is signed', async () => {
    await view();
    const thief = new Browser()
      .plant(scene.laptop.cookie ?? '')
      .plant(forge({ username: 'root' }), CONFIRMATION_COOKIE);
    await signOut(post(scene.laptop));
    expect(await confirmSession(get(thief))).toBeNull();
  });
});

describe('what takes it away, in the same answer', () => {
  type Act = { is: string; act: (browser: Browser) => Promise<unknown> };
  const withSession =
    (
      work: (
        event: ReturnType<typeof post>,
        session: Awaited<ReturnType<typeof requireSession>>,
      ) => Promise<unknown>,
    ) =>
    async (browser: Browser) => {
      const event = post(browser);
      await work(event, await requireSession(event));
    };
  const ACTS: Act[] = [
    { is: 'signing out', act: (browser) => signOut(post(browser)) },
    { is: 'signing in again', act: (browser) => signIn(post(browser), scene.username, PASSWORD) },
    { is: 'signing in as another user', act: (browser) => signIn(post(browser), another.username, PASSWORD) },
    { is: 'signing up as another user', act: (browser) => signUp(post(browser), newName(), PASSWORD) },
    { is: 'ending the others', act: withSession(revokeOtherSessions) },
    { is: 'ending all', act: withSession(revokeAllSessions) },
    { is: 'the password given again', act: withSession((event, own) => stepUp(event, own, PASSWORD)) },
    {
      is: 'a new password',
      act: withSession((event, own) => changePassword(event, own, PASSWORD, 'a new password')),
    },
    { is: 'deleting the account', act: withSession((event, own) => deleteAccount(event, own, PASSWORD)) },
  ];

  it.each(ACTS)('the confirmation is removed in the same response by $is', async ({ act }) => {
    await view();
    expect(scene.laptop.confirmation).toBeDefined();
    await act(scene.laptop);
    expect(scene.laptop.confirmation).toBeUndefined();
  });

  it('a browser that signs in as another user is greeted as that user, even if it keeps the confirmation of the first', async () => {
    await view();
    const kept = scene.laptop.confirmation ?? '';
    await signIn(post(scene.laptop), another.username, PASSWORD);
    scene.laptop.plant(kept, CONFIRMATION_COOKIE);
    expect(await view()).toEqual({ viewer: { username: another.username }, asked: ASKED });
  });

  it('the confirmation is removed when the session turns out to have ended', async () => {
    await view(scene.phone);
    const event = post(scene.laptop);
    await revokeOtherSessions(event, await requireSession(event));
    vi.advanceTimersByTime(MINUTE - 1);
    // The end is not known here yet: this is the bound.
    expect(await view(scene.phone)).toEqual({ viewer: greeted(), asked: [] });
    vi.advanceTimersByTime(1);
    expect((await view(scene.phone)).viewer).toBeNull();
    expect(scene.phone.confirmation).toBeUndefined();
    expect(scene.phone.cookie).toBeUndefined();
  });

  it('a late response that brings a removed confirmation back has no effect', async () => {
    const late = scene.laptop.requestUnanswered(storesWith({}));
    await requireSession(late.event);
    await signOut(post(scene.laptop));
    late.receive();
    expect(scene.laptop.confirmation).toBeDefined();
    expect(await view()).toEqual({ viewer: null, asked: [] });
    await signIn(post(scene.laptop), scene.username, PASSWORD);
    late.receive();
    expect((await view()).asked).toEqual(ASKED);
  });
});

describe('a page view whose stores', () => {
  const silent = () => new Promise<never>(() => undefined);
  const slow = () => new Promise<void>((resolve) => setTimeout(resolve, 1_500));
  const down = () => Promise.reject(new Error('injected: down'));

  const layout = (browser: Browser, hooks: StepHooks) =>
    call({ name: 'a page', method: 'GET', run: load, browser: () => browser }, scene, hooks);

  it.each([
    { is: 'down', befalls: down },
    { is: 'silent', befalls: silent },
    { is: 'slow', befalls: slow },
  ])('if the stores are $is, the page appears within 500 ms with an unknown viewer', async ({ befalls }) => {
    vi.useRealTimers();
    for (const stores of [['KV'], ['D1'], ['KV', 'D1']]) {
      const { cookie } = scene.laptop;
      const hooks = { beforeStep: ({ store }: Step) => (stores.includes(store) ? befalls() : undefined) };
      const startedAt = performance.now();
      const event = { ...get(scene.laptop, hooks), route: { id: '/' }, depends: () => undefined };
      const data = await load(event as never);
      // Time for a busy machine, and less than a second, which is how long D1 has before a query is sent again.
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(data).toMatchObject({ viewer: null, viewerUnknown: true });
      expect(scene.laptop.cookie).toBe(cookie);
    }
  });

  it('a page view asks D1 once, also after an error on which other requests ask again', async () => {
    for (const [ask, queries] of [[peekSession, 1] as const, [confirmSession, 2] as const]) {
      let asked = 0;
      const beforeStep = ({ store }: Step) => {
        if (store === 'D1' && ++asked === 1) throw new Error('D1_ERROR: Network connection lost.');
      };
      const viewer = await ask(get(scene.laptop, { beforeStep }));
      expect([asked, viewer === 'unknown']).toEqual([queries, queries === 1]);
    }
  });

  it('a page view asks no store that is down while the confirmation is fresh', async () => {
    await view();
    const { outcome } = await layout(scene.laptop, { beforeStep: down });
    expect(outcome).toMatchObject({ returned: { viewer: greeted(), viewerUnknown: false } });
  });

  it('if the stores answer too late, the session is still renewed after the response', async () => {
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1_000);
    const key = `session:${sessionIdOf(scene.laptop)}`;
    const before = await env.SESSIONS.get(key);
    const hooks = {
      beforeStep: ({ op }: Step) => (op === 'get' ? new Promise<void>((r) => setTimeout(r, 800)) : undefined),
    };
    expect(await peekSession(get(scene.laptop, hooks))).toBe('unknown');
    await scene.laptop.settle();
    expect(await env.SESSIONS.get(key)).not.toBe(before);
  });

  it('if the renewal is too slow, the page greets the user that the ledger confirmed', async () => {
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1_000);
    const hooks = {
      beforeStep: ({ op }: Step) => (op === 'put' ? new Promise<void>((r) => setTimeout(r, 800)) : undefined),
    };
    expect(await peekSession(get(scene.laptop, hooks))).toEqual(greeted());
    await scene.laptop.settle();
  });
});

it('changing the secret signs nobody out: the page view asks the stores and gets a new confirmation', async () => {
  await view();
  const rotated = { cookieSecrets: { current: 'the next secret', previous: SECRET } };
  const event = () => scene.laptop.request({ ...storesWith(counted), ...rotated });
  steps = [];
  expect(await peekSession(event())).toEqual(greeted());
  expect(steps).toEqual([]);
  await requireSession(event());
  const alone = scene.laptop.request({
    ...storesWith(counted),
    cookieSecrets: { current: 'the next secret' },
  });
  steps = [];
  expect(await peekSession(alone)).toEqual(greeted());
  expect(steps).toEqual([]);
});
