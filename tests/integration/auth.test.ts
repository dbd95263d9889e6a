import { SessionEnded } from '$lib/server/sessions/confirmed';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/policy';
import { sessionIdFor } from '$lib/server/sessions/token';
import { Browser } from '../setup/browser';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  listSessions,
  renameSession,
  requireSession,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signOut,
  signUp,
  stepUp,
} from '../setup/requests';

const PASSWORD = 'correct horse battery';
const stores = { kv: env.SESSIONS, db: env.DB, layout: 'owner' as const };

let username: string;
let laptop: Browser;
let phone: Browser;

beforeEach(async () => {
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  laptop = new Browser();
  phone = new Browser(
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
  );
  expect(await signUp(post(laptop), username, PASSWORD)).toBe('signed-in');
});

afterEach(() => {
  vi.useRealTimers();
});

const get = (browser: Browser, path = '/sessions') => browser.request({ ...stores, path });
const post = (browser: Browser) => browser.request({ ...stores, method: 'POST' });

async function signedIn(browser: Browser): Promise<boolean> {
  return (await confirmSession(get(browser))) !== null;
}

async function act<T>(
  browser: Browser,
  work: (event: ReturnType<typeof post>, session: Awaited<ReturnType<typeof requireSession>>) => Promise<T>,
) {
  const event = post(browser);
  const result = await work(event, await requireSession(event));
  await browser.settle();
  return result;
}

async function listed(browser: Browser) {
  const event = get(browser);
  return (await listSessions(event, await requireSession(event))).sessions;
}

/** Returns the KV record behind a browser's cookie, and a function that puts it back unchanged. */
async function recordOf(browser: Browser) {
  const [userId = '', token = ''] = (browser.cookie ?? '').split('.');
  const key = `session:${sessionIdFor(userId, token)}`;
  const { value, metadata } = await env.SESSIONS.getWithMetadata(key);
  return { key, value, putBack: () => env.SESSIONS.put(key, value ?? '', { metadata }) };
}

async function expectEnded(work: Promise<unknown>) {
  const thrown: unknown = await work.then(
    () => null,
    (error: unknown) => error,
  );
  expect(thrown).toBeInstanceOf(SessionEnded);
}

describe('signing in', () => {
  it('signing in creates a live session with its device and place', async () => {
    const [session] = await listed(laptop);
    expect(session).toMatchObject({
      current: true,
      device: { browser: 'Chrome 140', system: 'Linux', kind: 'desktop' },
      place: { country: 'DE', city: 'Berlin' },
    });
  });

  it('signing in refuses a wrong password and an unknown name in the same way, and sets no cookie', async () => {
    expect(await signIn(post(phone), username, 'wrong password')).toBe('refused');
    expect(await signIn(post(phone), `${username}x`, PASSWORD)).toBe('refused');
    expect(phone.cookie).toBeUndefined();
  });

  it('signing up refuses a taken name and leaves its account unchanged', async () => {
    expect(await signUp(post(phone), username, 'another password')).toBe('taken');
    expect(await signIn(post(phone), username, PASSWORD)).toBe('signed-in');
  });

  it('signing in replaces the browser’s session: the old cookie is dead at once', async () => {
    const old = laptop.cookie ?? '';
    expect(await signIn(post(laptop), username, PASSWORD)).toBe('signed-in');
    await laptop.settle();
    expect(laptop.cookie).not.toBe(old);
    expect(await signedIn(new Browser().plant(old))).toBe(false);
    expect(await listed(laptop)).toHaveLength(1);
  });

  it('signing in stores no token in KV or D1', async () => {
    const token = laptop.cookie?.split('.')[1] ?? '';
    expect(token).toHaveLength(43);
    const keys = (await env.SESSIONS.list()).keys;
    const values = await Promise.all(keys.map(({ name }) => env.SESSIONS.get(name)));
    const rows = await env.DB.batch([
      env.DB.prepare('SELECT * FROM User'),
      env.DB.prepare('SELECT * FROM Key'),
      env.DB.prepare('SELECT * FROM RevokedSession'),
    ]);
    const dump = JSON.stringify([keys, values, rows]);
    expect(dump).toContain(username);
    expect(dump).not.toContain(token);
  });

  it('a session id is not accepted as a cookie', async () => {
    const [session] = await listed(laptop);
    expect(await signedIn(new Browser().plant(session?.id ?? ''))).toBe(false);
  });
});

describe('a revoked session', () => {
  beforeEach(async () => {
    await signIn(post(phone), username, PASSWORD);
  });

  it('a revoked session is refused even when its old record is back in KV', async () => {
    const record = await recordOf(phone);
    const other = (await listed(laptop)).find(({ current }) => !current);
    expect(await act(laptop, (event, session) => revokeSession(event, session, other?.id ?? ''))).toBe(
      'ended',
    );
    expect(await env.SESSIONS.get(record.key)).toBeNull();
    await record.putBack();
    await expectEnded(requireSession(get(phone)));
    expect(phone.cookie).toBeUndefined();
    expect(await listed(laptop)).toHaveLength(1);
  });

  it('a session is refused after "all others", and the browser that asked gets a new token', async () => {
    const record = await recordOf(phone);
    const old = laptop.cookie ?? '';
    expect(await act(laptop, revokeOtherSessions)).toBe(1);
    await record.putBack();
    expect(await signedIn(phone)).toBe(false);
    expect(await signedIn(new Browser().plant(old))).toBe(false);
    expect(await listed(laptop)).toHaveLength(1);
  });

  it('a session is refused after "everywhere", including this browser’s', async () => {
    const records = [await recordOf(phone), await recordOf(laptop)];
    const cookies = [phone.cookie ?? '', laptop.cookie ?? ''];
    await act(laptop, revokeAllSessions);
    expect(laptop.cookie).toBeUndefined();
    for (const record of records) await record.putBack();
    for (const cookie of cookies) expect(await signedIn(new Browser().plant(cookie))).toBe(false);
  });

  it('a session is refused after a sign-out, even when its old record is back in KV', async () => {
    const record = await recordOf(phone);
    const cookie = phone.cookie ?? '';
    await signOut(post(phone));
    await phone.settle();
    expect(phone.cookie).toBeUndefined();
    await record.putBack();
    expect(await signedIn(new Browser().plant(cookie))).toBe(false);
  });

  it('a revoked session cannot end another session, nor all', async () => {
    const event = post(phone);
    const session = await requireSession(event);
    const [current] = await listed(laptop);
    await act(laptop, (request, own) => revokeSession(request, own, session.sessionId));
    await expectEnded(revokeSession(event, session, current?.id ?? ''));
    await expectEnded(revokeOtherSessions(event, session));
    await expectEnded(revokeAllSessions(event, session));
    await expectEnded(changePassword(event, session, PASSWORD, 'a new password'));
    await expectEnded(deleteAccount(event, session, PASSWORD));
    expect(await signedIn(laptop)).toBe(true);
    expect(await signIn(post(new Browser()), username, PASSWORD)).toBe('signed-in');
  });
});

describe("somebody else's session", () => {
  it('another user’s session cannot be ended, and the response is the same as for an unknown one', async () => {
    const bob = new Browser();
    await signUp(post(bob), `${username}-bob`, PASSWORD);
    const [adas] = await listed(laptop);
    const [bobs] = await listed(bob);
    const unknown = `${bobs?.id.split('.')[0] ?? ''}.${'A'.repeat(43)}`;
    for (const id of [adas?.id ?? '', unknown, '', 'x', '../..', `${'y'.repeat(9000)}`]) {
      expect(await act(bob, (event, session) => revokeSession(event, session, id))).toBe('unknown');
    }
    expect(await signedIn(laptop)).toBe(true);
  });
});

describe('changing the password', () => {
  it('changing the password ends the other sessions and keeps this browser; only the new password signs in', async () => {
    await signIn(post(phone), username, PASSWORD);
    const record = await recordOf(phone);
    const outcome = await act(laptop, (event, session) =>
      changePassword(event, session, PASSWORD, 'a new password'),
    );
    expect(outcome).toEqual({ endedOthers: 1 });
    await record.putBack();
    expect(await signedIn(phone)).toBe(false);
    expect(await signedIn(laptop)).toBe(true);
    expect(await signIn(post(new Browser()), username, PASSWORD)).toBe('refused');
    expect(await signIn(post(new Browser()), username, 'a new password')).toBe('signed-in');
  });

  it('changing the password needs the current one', async () => {
    const outcome = await act(laptop, (event, session) =>
      changePassword(event, session, 'wrong', 'a new password'),
    );
    expect(outcome).toBe('wrong-password');
    expect(await signIn(post(new Browser()), username, PASSWORD)).toBe('signed-in');
  });

  it('changing the password needs a different one, however it is typed', async () => {
    const word = 'caf\u00e9 battery horse';
    await act(laptop, (event, session) => changePassword(event, session, PASSWORD, word));
    const outcome = await act(laptop, (event, session) =>
      changePassword(event, session, word, word.normalize('NFD')),
    );
    expect(outcome).toBe('same-password');
    expect(await signIn(post(new Browser()), username, word)).toBe('signed-in');
  });

  it('of two password changes at the same moment, one succeeds', async () => {
    const session = await requireSession(get(laptop));
    const outcomes = await Promise.allSettled(
      ['first password', 'second password'].map((password) =>
        changePassword(post(laptop), session, PASSWORD, password),
      ),
    );
    const changed = outcomes.filter(
      (outcome) => outcome.status === 'fulfilled' && outcome.value !== 'wrong-password',
    );
    expect(changed).toHaveLength(1);
  });
});

describe('deleting the account', () => {
  it('deleting the account ends every session, leaves no row, and frees the name', async () => {
    await signIn(post(phone), username, PASSWORD);
    const record = await recordOf(phone);
    expect(await act(laptop, (event, session) => deleteAccount(event, session, PASSWORD))).toBe('deleted');
    expect(laptop.cookie).toBeUndefined();
    await record.putBack();
    expect(await signedIn(phone)).toBe(false);
    expect(
      await env.DB.prepare('SELECT count(*) AS n FROM Key WHERE id = ?1')
        .bind(`username:${username}`)
        .first('n'),
    ).toBe(0);
    expect(await signUp(post(phone), username, PASSWORD)).toBe('signed-in');
  });
});

describe('a lifetime', () => {
  it('a session is renewed by the first request after the active period, which sets no cookie', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const start = Date.now();
    vi.setSystemTime(start + ACTIVE_PERIOD_MILLISECONDS + 1_000);
    const { event, received } = laptop.requestUnanswered({ ...stores, path: '/' });
    expect((await confirmSession(event))?.fresh).toBe(true);
    expect(received()).toBeUndefined();
    expect((await confirmSession(get(laptop, '/')))?.fresh).toBe(false);
  });

  it('a session ends after the idle period', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const cookie = laptop.cookie ?? '';
    vi.setSystemTime(Date.now() + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS + 1_000);
    expect(await signedIn(laptop)).toBe(false);
    expect(await signedIn(new Browser().plant(cookie))).toBe(false);
  });

  it('a session ends at the absolute limit, however often it is used', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const start = Date.now();
    const step = IDLE_PERIOD_MILLISECONDS / 2;
    for (let at = step; at < ABSOLUTE_PERIOD_MILLISECONDS; at += step) {
      vi.setSystemTime(start + at);
      expect(await signedIn(laptop)).toBe(true);
      expect(laptop.cookieExpires).toBeLessThanOrEqual(start + ABSOLUTE_PERIOD_MILLISECONDS + 1_000);
    }
    const cookie = laptop.cookie ?? '';
    vi.setSystemTime(start + ABSOLUTE_PERIOD_MILLISECONDS + 1_000);
    expect(await signedIn(new Browser().plant(cookie))).toBe(false);
  });
});

describe('a successor', () => {
  it('a rotated session ends at the absolute limit of its sign-in, and so does its cookie', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const limit = Date.now() + ABSOLUTE_PERIOD_MILLISECONDS + 1_000;
    const step = IDLE_PERIOD_MILLISECONDS - 1_000;
    for (let at = step; at < ABSOLUTE_PERIOD_MILLISECONDS; at += step) {
      vi.advanceTimersByTime(step);
      expect(await signedIn(laptop)).toBe(true);
    }
    const before = laptop.cookie;
    await act(laptop, (event, session) => stepUp(event, session, PASSWORD));
    expect(laptop.cookie).not.toBe(before);
    expect(laptop.cookieExpires).toBeLessThanOrEqual(limit);
    await act(laptop, revokeOtherSessions);
    expect(laptop.cookieExpires).toBeLessThanOrEqual(limit);
  });
});

describe('renaming a session', () => {
  it('a session’s name is in the list and survives a renewal and "all others"; an empty name removes it', async () => {
    await signIn(post(phone), username, PASSWORD);
    const other = (await listed(laptop)).find(({ current }) => !current)?.id ?? '';
    expect(await act(laptop, (event, session) => renameSession(event, session, other, 'My phone'))).toBe(
      'renamed',
    );
    expect((await listed(laptop)).map(({ name }) => name)).toEqual([null, 'My phone']);
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + ACTIVE_PERIOD_MILLISECONDS + 1_000);
    await act(phone, revokeOtherSessions);
    expect((await listed(phone)).map(({ name }) => name)).toEqual(['My phone']);
    await act(phone, (event, session) => renameSession(event, session, session.sessionId, ''));
    expect((await listed(phone))[0]?.name).toBeNull();
  });

  it('the list of the same request shows the new name, even if KV lists the record as it was', async () => {
    await signIn(post(phone), username, PASSWORD);
    const userId = laptop.cookie?.split('.')[0] ?? '';
    const before = await env.SESSIONS.list({ prefix: `session:${userId}.` });
    const kv = new Proxy(env.SESSIONS, {
      get: (real, name) =>
        name === 'list' ? async () => before : (Reflect.get(real, name) as () => unknown).bind(real),
    });
    const event = laptop.request({ ...stores, kv, method: 'POST' });
    const session = await requireSession(event);
    const other = (await listed(laptop)).find(({ current }) => !current)?.id ?? '';
    expect(await renameSession(event, session, other, 'My phone')).toBe('renamed');
    const { sessions } = await listSessions(event, session);
    expect(sessions.map(({ name }) => name)).toEqual([null, 'My phone']);
  });

  it('renaming does not change another user’s session, and does not revive an ended one', async () => {
    await signIn(post(phone), username, PASSWORD);
    const record = await recordOf(phone);
    const id = record.key.replace('session:', '');
    await act(laptop, (event, session) => revokeSession(event, session, id));
    await record.putBack();
    expect(await act(laptop, (event, session) => renameSession(event, session, id, 'x'))).toBe('unknown');
    expect(await env.SESSIONS.get(record.key)).toBeNull();
    const bob = new Browser();
    await signUp(post(bob), `${username}-bob`, PASSWORD);
    const own = (await recordOf(laptop)).key.replace('session:', '');
    expect(await act(bob, (event, session) => renameSession(event, session, own, 'x'))).toBe('unknown');
  });
});
