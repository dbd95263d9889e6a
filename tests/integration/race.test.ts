/** /race: the demo runs the app's own guards, on a session that opens nothing else. A fake clock replaces the page's minute. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { endRace, look, startRace } from '../../src/routes/race/race';
import { DEMO_USERS_MAX, RACES_PER_HOUR_MAX } from '../../src/routes/race/demo-users';
import { GET as getLook } from '../../src/routes/race/look/+server';
import { load } from '../../src/routes/race/+page.server';
import { Throttled } from '$lib/server/throttle/throttle';
import { Browser } from '../setup/browser';
import { confirmSession, peekSession } from '../setup/requests';

const SECRET = 'a secret of the tests';
const HOUR_MILLISECONDS = 60 * 60_000;
const stores = { kv: env.SESSIONS, db: env.DB, layout: 'owner' as const };

beforeEach(() => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'] });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A request to /race, with the platform's vars. */
function at(browser: Browser, { address = '127.0.0.1', vars = {} } = {}) {
  const event = browser.request({ ...stores, path: '/race', address });
  const { ctx } = event.platform ?? {};
  const platformEnv = { SESSIONS: env.SESSIONS, DB: env.DB, COOKIE_SECRET: SECRET, ...vars };
  // The only cast: everything that the race reads is here, and SvelteKit's event type has more.
  return { ...event, platform: { ctx, env: platformEnv }, setHeaders: () => undefined } as never;
}

const later = (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1_000);

async function count(table: string, column: string): Promise<number> {
  const query = `SELECT count(*) AS n FROM ${table} WHERE ${column} >= 'race-' AND ${column} < 'race.'`;
  return (await env.DB.prepare(query).first<number>('n')) ?? -1;
}

async function started(): Promise<Browser> {
  const browser = new Browser();
  await startRace(at(browser));
  return browser;
}

const bothIn = { account: true, view: true };

describe('the race', () => {
  it('the race lets both in until the end, then refuses ours at once and the one in KV alone a minute later', async () => {
    const browser = await started();
    expect(await look(at(browser))).toMatchObject({ endedAt: null, naive: bothIn, ours: bothIn });

    await endRace(at(browser));
    const atOnce = await look(at(browser));
    expect(atOnce).toMatchObject({ naive: bothIn, ours: { account: false } });
    expect(atOnce?.endedAt).not.toBeNull();

    later(59);
    expect(await look(at(browser))).toMatchObject({ naive: bothIn, ours: { account: false } });
    later(2);
    const out = { account: false, view: false };
    expect(await look(at(browser))).toMatchObject({ naive: out, ours: out });
  });

  it('the race refuses ours by the ledger while KV still shows the record', async () => {
    const browser = await started();
    const { results: before } = await env.DB.prepare('SELECT id FROM RevokedSession').all();
    await endRace(at(browser));
    const { results: after } = await env.DB.prepare('SELECT id, reason FROM RevokedSession').all();
    expect(after.length).toBe(before.length + 1);
    await env.DB.prepare('DELETE FROM RevokedSession WHERE user_id >= ?1').bind('race-').run();
    expect(await look(at(browser))).toMatchObject({ ours: { account: true } });
  });

  it('the race writes nothing to KV, and its session opens nothing in the app', async () => {
    const browser = await started();
    expect((await env.SESSIONS.list({ prefix: 'session:race-' })).keys).toEqual([]);
    const thief = new Browser();
    const copied = browser.request(stores).cookies.get('race-session');
    expect(copied).toMatch(/^race-\d+\.[\w-]{43}$/);
    thief.plant(copied ?? '');
    const request = () => thief.request({ ...stores, cookieSecrets: { current: SECRET } });
    expect(await confirmSession(request())).toBeNull();
    expect(await peekSession(request())).toBeNull();
    const signOut = request();
    await signOut.locals.auth.sessions.signOut();
    expect(await look(at(browser))).toMatchObject({ ours: bothIn });
  });

  it('a race belongs to one visitor: ending it leaves another race running, even of the same demo user', async () => {
    const byUser = new Map<string, Browser>();
    let pair: [Browser, Browser] | undefined;
    while (!pair) {
      const browser = await started();
      const [user = ''] = browser.request(stores).cookies.get('race-session')?.split('.') ?? [];
      const other = byUser.get(user);
      if (other) pair = [other, browser];
      byUser.set(user, browser);
    }
    const [mine, yours] = pair;
    await endRace(at(mine));
    expect(await look(at(yours))).toMatchObject({ endedAt: null, naive: bothIn, ours: bothIn });
  });

  it('the race accepts no cookie that it did not sign', async () => {
    const browser = await started();
    const signed = browser.request(stores).cookies.get('race-kv') ?? '';
    const forged = new Browser();
    forged.request(stores).cookies.set('race-kv', `${signed.slice(0, -2)}AA`, { path: '/race' });
    expect(await look(at(forged))).toBeNull();
    forged.request(stores).cookies.set('race-kv', 'a.b', { path: '/race' });
    expect(await look(at(forged))).toBeNull();
  });

  it('ending a race twice is like ending it once, and does nothing where there is no race', async () => {
    const browser = await started();
    await endRace(at(browser));
    const { endedAt } = (await look(at(browser))) ?? {};
    later(5);
    await endRace(at(browser));
    expect(await look(at(browser))).toMatchObject({ endedAt });
    await endRace(at(new Browser()));
  });

  it('the race is a 404 if the var says off or nothing can be signed', async () => {
    for (const vars of [{ RACE: 'off' }, { COOKIE_SECRET: undefined }]) {
      await expect(load(at(new Browser(), { vars }))).rejects.toMatchObject({ status: 404 });
      const answer = getLook(at(new Browser(), { vars }));
      await expect(answer).rejects.toMatchObject({ status: 404 });
      await expect(startRace(at(new Browser(), { vars }))).rejects.toMatchObject({ status: 404 });
    }
  });
});

describe('what a race leaves', () => {
  it('a race leaves a row and an event, which are deleted with a race an hour later', async () => {
    const [first, second] = [await started(), await started()];
    await endRace(at(first));
    await endRace(at(second));
    expect(await count('RevokedSession', 'user_id')).toBeGreaterThanOrEqual(2);
    expect(await count('SecurityEvent', 'user_id')).toBeGreaterThanOrEqual(2);
    vi.setSystemTime(Date.now() + HOUR_MILLISECONDS + 1_000);
    await started();
    expect(await count('RevokedSession', 'user_id')).toBe(0);
    expect(await count('SecurityEvent', 'user_id')).toBe(0);
  });

  it('the number of demo users and the races of an address are limited, however many races there are', async () => {
    const address = '198.51.100.77';
    for (let i = 0; i < RACES_PER_HOUR_MAX; i += 1) await startRace(at(new Browser(), { address }));
    await expect(startRace(at(new Browser(), { address }))).rejects.toThrow(Throttled);
    const races = Array.from({ length: DEMO_USERS_MAX + 20 }, () => startRace(at(new Browser())));
    await Promise.all(races);
    expect(await count('User', 'id')).toBeLessThanOrEqual(DEMO_USERS_MAX);
    vi.setSystemTime(Date.now() + HOUR_MILLISECONDS + 1_000);
    await startRace(at(new Browser(), { address }));
  });
});
