import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi, type MockInstance } from 'vitest';
import { freshlyProven } from '$lib/server/sessions/proof';
import { sql } from '$lib/server/stores/sql';
import { listEvents, listEventsForDownload, recordEvent } from '$lib/server/sessions/activity';
import {
  ACCOUNT_THROTTLE,
  EVENTS_KEPT_MILLISECONDS,
  EVENTS_STORED_MILLISECONDS,
  EVENTS_PER_PAGE,
  PROOF_PERIOD_MILLISECONDS,
} from '$lib/server/policy';
import { Browser, type TestEvent } from '../setup/browser';
import {
  changePassword,
  confirmSession,
  deleteAccount,
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
const quickHash = {
  generate: (password: string) => Promise.resolve(`${Math.random()} ${password}`),
  validate: (password: string, hash: string) => Promise.resolve(hash.endsWith(` ${password}`)),
};

let username: string;
let laptop: Browser;
let phone: Browser;
let log: MockInstance<typeof console.log>;

beforeEach(async () => {
  log = vi.spyOn(console, 'log').mockImplementation(() => {});
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  laptop = new Browser();
  phone = new Browser(
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
  );
  await signUp(post(laptop), username, PASSWORD);
});

afterEach(() => {
  vi.useRealTimers();
});

function post(browser: Browser): TestEvent {
  return browser.request({
    kv: env.SESSIONS,
    db: env.DB,
    layout: 'owner',
    method: 'POST',
    address: '203.0.113.7',
    passwordHash: quickHash,
    cookieSecrets: { current: 'a secret of the tests' },
  });
}

async function act<T>(
  browser: Browser,
  work: (event: TestEvent, session: NonNullable<Awaited<ReturnType<typeof confirmSession>>>) => Promise<T>,
): Promise<T> {
  const event = post(browser);
  return work(event, await requireSession(event));
}

async function events() {
  const userId = laptop.cookie?.split('.')[0] ?? (await userIdByName());
  return (await listEventsForDownload(env.DB, userId)).events;
}

async function userIdByName(): Promise<string> {
  return (
    (await env.DB.prepare('SELECT id FROM User WHERE username = ?1').bind(username).first<string>('id')) ?? ''
  );
}

const types = async () => (await events()).map(({ type }) => type).reverse();

describe('the activity of an account', () => {
  it('the activity lists each thing that happened once, with the device that did it', async () => {
    await signIn(post(new Browser()), username, 'a wrong guess');
    await signIn(post(phone), username, PASSWORD);
    const phoneSession = await act(phone, async (_, session) => session.sessionId);
    await act(laptop, (event, session) => revokeSession(event, session, phoneSession));
    await act(laptop, revokeOtherSessions);
    await act(laptop, (event, session) => changePassword(event, session, 'a wrong guess', 'a new password'));
    await act(laptop, (event, session) => changePassword(event, session, PASSWORD, 'a new password'));
    await signOut(post(laptop));
    await signIn(post(laptop), username, 'a new password');
    await act(laptop, revokeAllSessions);
    expect(await types()).toEqual([
      'signed-up',
      'sign-in-failed',
      'signed-in-new-device',
      'session-revoked',
      'others-revoked',
      'proof-failed',
      'password-changed',
      'signed-out',
      'signed-in',
      'all-revoked',
    ]);
    const revoked = (await events()).find(({ type }) => type === 'session-revoked');
    expect(revoked).toMatchObject({
      sessionId: phoneSession,
      device: { browser: 'Chrome 140', kind: 'desktop' },
      place: { country: 'DE', city: 'Berlin' },
    });
  });

  it('the activity does not record what did not happen', async () => {
    await signIn(post(phone), username, PASSWORD);
    const before = await types();
    const event = post(phone);
    const session = await requireSession(event);
    await act(laptop, revokeOtherSessions);
    await expect(revokeSession(event, session, session.sessionId)).rejects.toMatchObject({
      name: 'SessionEnded',
    });
    await expect(revokeAllSessions(event, session)).rejects.toMatchObject({ name: 'SessionEnded' });
    await act(laptop, (request, own) => changePassword(request, own, 'wrong', 'a new password'));
    expect(await types()).toEqual([...before, 'others-revoked', 'proof-failed']);
  });

  it('of many wrong passwords at once only those that count as tries are recorded, and none once the session has ended', async () => {
    const wrong = () => act(laptop, (event, session) => stepUp(event, session, 'wrong'));
    await Promise.allSettled(Array.from({ length: 20 }, wrong));
    const recorded = async () => (await types()).filter((type) => type === 'proof-failed').length;
    expect(await recorded()).toBe(ACCOUNT_THROTTLE.freeFailures);
    await signIn(post(phone), username, PASSWORD);
    const late = post(phone);
    const phoneSession = await requireSession(late);
    await act(laptop, revokeOtherSessions);
    await expect(stepUp(late, phoneSession, 'wrong')).rejects.toMatchObject({ name: 'SessionEnded' });
    expect(await recorded()).toBe(ACCOUNT_THROTTLE.freeFailures);
  });

  it('a revoke and a sign-out are recorded once, however often they are requested', async () => {
    await signIn(post(phone), username, PASSWORD);
    const phoneSession = await act(phone, async (_, session) => session.sessionId);
    for (let i = 0; i < 3; i += 1)
      await act(laptop, (event, session) => revokeSession(event, session, phoneSession));
    const again = [post(laptop), post(laptop)];
    for (const event of again) await signOut(event);
    const seen = await types();
    expect(seen.filter((type) => type === 'session-revoked')).toHaveLength(1);
    expect(seen.filter((type) => type === 'signed-out')).toHaveLength(1);
  });

  it('no sign-out is recorded for a session that never existed, because anyone can make up a token', async () => {
    const [userId] = (laptop.cookie ?? '').split('.');
    await signOut(post(new Browser().plant(`${userId}.${'x'.repeat(43)}`)));
    expect(await types()).not.toContain('signed-out');
    expect(log.mock.calls.flat().join()).not.toContain('signed-out');
    expect(await act(laptop, async (_, session) => session.user.userId)).toBe(userId);
  });

  it('the activity comes in pages, the newest first', async () => {
    const userId = await userIdByName();
    const origin = {
      device: { browser: null, system: null, kind: 'unknown' },
      place: { country: null, city: null },
    } as const;
    const one = (i: number) =>
      recordEvent(
        env.DB,
        { type: 'signed-in', sessionId: `s${i}`, ...origin, at: Date.now() },
        sql`User.id = ${userId}`,
      );
    await env.DB.batch(Array.from({ length: EVENTS_PER_PAGE + 4 }, (_, i) => one(i)));
    const first = await listEvents(env.DB, userId, null);
    expect(first.events).toHaveLength(EVENTS_PER_PAGE);
    expect(first.more).toBe(true);
    const second = await listEvents(env.DB, userId, first.events.at(-1)?.id ?? null);
    expect(second.events).toHaveLength(5);
    expect(second.more).toBe(false);
    expect(second.events.at(-1)?.type).toBe('signed-up');
  });

  it('events are hidden after 90 days, and deleted a day later at the next sign-in', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const start = Date.now();
    vi.setSystemTime(start + EVENTS_KEPT_MILLISECONDS + 1_000);
    const userId = await userIdByName();
    expect((await listEventsForDownload(env.DB, userId)).events).toEqual([]);
    vi.setSystemTime(start + EVENTS_STORED_MILLISECONDS + 1_000);
    await signIn(post(phone), username, PASSWORD);
    const rows = await env.DB.prepare('SELECT type FROM SecurityEvent WHERE user_id = ?1').bind(userId).all();
    expect(rows.results).toEqual([{ type: 'signed-in-new-device' }]);
  });

  it('the activity is deleted with the account', async () => {
    const userId = await userIdByName();
    await act(laptop, (event, session) => deleteAccount(event, session, PASSWORD));
    expect((await listEventsForDownload(env.DB, userId)).events).toEqual([]);
  });
});

describe('the log', () => {
  it('the log has one JSON line per event, without token, password, name or address', async () => {
    await signIn(post(phone), username, 'a wrong guess');
    await signIn(post(phone), username, PASSWORD);
    await act(phone, (event, session) => changePassword(event, session, 'a wrong guess', 'a new password'));
    await act(phone, (event, session) => changePassword(event, session, PASSWORD, 'a new password'));
    await act(phone, revokeOtherSessions);
    const token = phone.cookie?.split('.')[1] ?? 'none';
    await signOut(post(phone));
    const lines = log.mock.calls.map(([line]: unknown[]) => String(line));
    const named = lines.map((line) => JSON.parse(line) as { event: string; at: string });
    expect(named.map(({ event }) => event)).toEqual([
      'signed-up',
      'sign-in-failed',
      'signed-in-new-device',
      'proof-failed',
      'password-changed',
      'others-revoked',
      'signed-out',
    ]);
    for (const secret of [token, PASSWORD, 'a new password', 'a wrong guess', username, '203.0.113.7']) {
      expect(lines.join('\n')).not.toContain(secret);
    }
  });
});

describe('a proof of the password', () => {
  it('a proof of the password is fresh for 15 minutes after signing in, and again after a step-up, under a new token', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    expect(await act(laptop, async (_, session) => freshlyProven(session) !== null)).toBe(true);
    vi.setSystemTime(Date.now() + PROOF_PERIOD_MILLISECONDS);
    expect(await act(laptop, async (_, session) => freshlyProven(session) !== null)).toBe(false);
    const old = laptop.cookie ?? '';
    expect(await act(laptop, (event, session) => stepUp(event, session, 'wrong'))).toBe('wrong-password');
    expect(await act(laptop, async (_, session) => freshlyProven(session) !== null)).toBe(false);
    await act(laptop, (event, session) => stepUp(event, session, PASSWORD));
    expect(await act(laptop, async (_, session) => freshlyProven(session) !== null)).toBe(true);
    expect(laptop.cookie).not.toBe(old);
    expect(await confirmSession(post(new Browser().plant(old)))).toBeNull();
  });

  it('ending others or a renewal does not refresh the proof of the password', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(Date.now() + PROOF_PERIOD_MILLISECONDS);
    await act(laptop, revokeOtherSessions);
    expect(await act(laptop, async (_, session) => freshlyProven(session) !== null)).toBe(false);
    vi.setSystemTime(Date.now() + 2 * 60 * 60 * 1_000);
    expect(await act(laptop, async (_, session) => freshlyProven(session) !== null)).toBe(false);
  });
});
