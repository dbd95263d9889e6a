/** What a device is told when it loads a page after its session was ended elsewhere: from which device, and when. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ACTIVE_PERIOD_MILLISECONDS, IDLE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { createToken } from '$lib/server/sessions/token';
import { load as loadSessions } from '../../src/routes/(account)/sessions/+page.server';
import { load as loadSignIn } from '../../src/routes/(guest)/login/+page.server';
import { Browser } from '../setup/browser';
import {
  changePassword,
  requireSession,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
} from '../setup/requests';
import { call, PASSWORD, sessionIdOf, setScene, storesWith, type Scene } from './routes';

let scene: Scene;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  scene = await setScene();
});

afterEach(() => {
  vi.useRealTimers();
});

/** Returns what the sign-in page says to a browser that requested its sessions. */
async function told(browser: Browser, hooks = {}): Promise<unknown> {
  const page = { method: 'GET' as const, browser: () => browser };
  await call({ ...page, name: 'the sessions page', run: loadSessions }, scene, hooks);
  const path = '/login?redirectTo=%2Fsessions';
  const { outcome } = await call({ ...page, name: 'the sign-in page', path, run: loadSignIn }, scene, {});
  return outcome;
}

async function fromLaptop(
  act: (
    event: ReturnType<Browser['request']>,
    session: Awaited<ReturnType<typeof requireSession>>,
  ) => unknown,
): Promise<void> {
  const event = scene.laptop.request({ ...storesWith({}), method: 'POST' });
  await act(event, await requireSession(event));
  await scene.laptop.settle();
}

const ended = (end: object) => ({ returned: expect.objectContaining({ notice: 'session-ended', end }) });
const KNOWN = ended({ by: 'from Chrome 140 on Linux', at: expect.any(Number) });
const UNKNOWN = ended({ by: null, at: null });
const UNSEEN = { returned: expect.objectContaining({ notice: 'session-unseen' }) };

it.each([
  ['one session', (event, session) => revokeSession(event, session, sessionIdOf(scene.phone))],
  ['all others', revokeOtherSessions],
  ['all sessions', revokeAllSessions],
  [
    'all others by a new password',
    (event, session) => changePassword(event, session, PASSWORD, 'another good one'),
  ],
] satisfies [string, Parameters<typeof fromLaptop>[0]][])(
  'the sign-in page says once how the session ended: %s',
  async (_, act) => {
    await fromLaptop(act);
    expect(await told(scene.phone)).toEqual(KNOWN);
  },
);

it('a session that KV does not show is not said to have ended, until it can have expired', async () => {
  const expiresAt = Date.now() + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS;
  const { cookie } = scene.phone;
  await env.SESSIONS.delete(`session:${sessionIdOf(scene.phone)}`);
  expect(await told(scene.phone)).toEqual(UNSEEN);
  expect(scene.phone.cookie).toBe(cookie);
  vi.useFakeTimers({ toFake: ['Date'], now: expiresAt - 60_000 });
  expect(await told(scene.phone)).toEqual(UNSEEN);
  vi.setSystemTime(expiresAt);
  expect(await told(scene.phone)).toEqual(UNKNOWN);
  vi.useRealTimers();
  // The ledger's word counts, whatever KV shows.
  await fromLaptop(revokeOtherSessions);
  expect(await told(scene.phone)).toEqual(KNOWN);
});

it('a session that KV does not show is not said to have ended if the activity cannot be read', async () => {
  await env.SESSIONS.delete(`session:${sessionIdOf(scene.phone)}`);
  let queries = 0;
  const beforeStep = ({ store }: { store: string }) => {
    if (store === 'D1' && ++queries > 1) throw new Error('D1 is gone');
  };
  expect(await told(scene.phone, { beforeStep })).toEqual(UNSEEN);
});

it('a made-up cookie learns nothing about anybody', async () => {
  await fromLaptop(revokeOtherSessions);
  const [userId = ''] = sessionIdOf(scene.phone).split('.');
  expect(await told(new Browser().plant(`${userId}.${createToken()}`))).toEqual(UNKNOWN);
});

it('without the activity, the page still says that the session ended', async () => {
  await fromLaptop((event, session) => revokeSession(event, session, sessionIdOf(scene.phone)));
  let queries = 0;
  const beforeStep = ({ store }: { store: string }) => {
    if (store === 'D1' && ++queries === 2) throw new Error('D1 is gone');
  };
  expect(await told(scene.phone, { beforeStep })).toEqual(UNKNOWN);
  expect(queries).toBe(2);
});
