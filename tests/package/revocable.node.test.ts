/** The kit (src/lib/server/revocable): the app's revocable sessions over a plain `Request`, in a D1 with another app's `User` table. */
import { readFileSync } from 'node:fs';
import type { UserAdapter } from 'lucia';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  forgetUser,
  migration,
  ProofNeeded,
  revocableSessions,
  SessionEnded,
  StoreUnavailable,
  type RevocableSessions,
} from '$lib/server/revocable';
import { createHostileKV } from '../simulation/hostile-kv';
import { createSqliteD1, readMigrations } from '../simulation/sqlite-d1';

const START = Date.UTC(2026, 10, 27);
const MINUTE = 60_000;
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0';

/** Only `getUser` is called. */
const userAdapter = () =>
  ({
    getUser: async (id: string) => (id === 'nobody' ? null : { id, username: `${id}'s name` }),
  }) as UserAdapter;

let d1: ReturnType<typeof createSqliteD1>;
let store: ReturnType<typeof createHostileKV>;
let kv: KVNamespace;
let db: D1Database;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: START });
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  d1 = createSqliteD1({ migrations: ['CREATE TABLE User (id TEXT, name TEXT);', migration] });
  store = createHostileKV({ seed: 1, hostility: {}, now: () => Date.now() });
  kv = store.place('here');
  db = d1.db;
});

afterEach(() => {
  vi.useRealTimers();
  d1.close();
});

/** A browser: its cookies, and requests with them. */
function openBrowser() {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async ask<T>(work: (auth: RevocableSessions) => Promise<T>, stores = { kv, db }): Promise<T> {
      const cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
      const request = new Request('https://shop.example/', {
        headers: { 'user-agent': FIREFOX, ...(cookie && { cookie }) },
      });
      const left: Promise<unknown>[] = [];
      const auth = revocableSessions({
        ...{ request, ...stores, userAdapter },
        cookieSecrets: { current: 'a secret of the tests' },
        nameOf: ({ username }) => username,
        waitUntil: (work) => void left.push(work),
      });
      try {
        return await work(auth);
      } finally {
        await Promise.all(left);
        const headers = new Headers();
        auth.applyTo(headers);
        for (const line of headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          if (value) cookies.set(name, value);
          else cookies.delete(name);
        }
      }
    },
  };
}

async function signedIn(userId = 'ada') {
  const browser = openBrowser();
  await browser.ask((auth) => auth.signIn(userId));
  return browser;
}

/** Puts back every record that KV has now, as a late KV would still show them. */
async function recordsPutBackBy(work: () => Promise<unknown>): Promise<void> {
  const records = store.truth();
  await work();
  for (const { key, value, metadata, expiration } of records) {
    await kv.put(key, value, { metadata, ...(expiration && { expiration }) });
  }
}

const down = () => {
  throw new Error('down');
};

describe('a session that was ended', () => {
  it('an ended session is refused at once although KV still shows it, and is greeted for a minute at most', async () => {
    const [laptop, phone] = [await signedIn(), await signedIn()];
    const { sessionId } = await phone.ask((auth) => auth.require());
    await recordsPutBackBy(() => laptop.ask((auth) => auth.revoke(sessionId)));
    expect(store.truth()).toHaveLength(2);

    expect(await phone.ask((auth) => auth.peek())).toEqual({ userId: 'ada', name: "ada's name" });
    const kept = new Map(phone.cookies);
    await expect(phone.ask((auth) => auth.require())).rejects.toThrow(SessionEnded);
    expect(phone.cookies.size).toBe(0);

    for (const [name, value] of kept) phone.cookies.set(name, value);
    vi.setSystemTime(START + MINUTE);
    expect(await phone.ask((auth) => auth.peek())).toBeNull();
    expect(await laptop.ask((auth) => auth.peek())).toEqual({ userId: 'ada', name: "ada's name" });
  });

  it.each([
    ['signOut', async (own: RevocableSessions) => own.signOut()],
    ['revoke', async (own: RevocableSessions) => own.revoke((await own.require()).sessionId)],
    ['revokeAll', async (own: RevocableSessions) => own.revokeAll()],
  ])('a session ended by %s on its own device stays ended', async (_, end) => {
    const laptop = await signedIn();
    const kept = new Map(laptop.cookies);
    await recordsPutBackBy(() => laptop.ask<unknown>(end));
    expect(laptop.cookies.size).toBe(0);
    for (const [name, value] of kept) laptop.cookies.set(name, value);
    await expect(laptop.ask((auth) => auth.require())).rejects.toThrow(SessionEnded);
  });

  it('ending all others ends them, and the session that asked gets a new token', async () => {
    const [laptop, phone] = [await signedIn(), await signedIn()];
    const before = laptop.cookies.get('__Host-session');
    await recordsPutBackBy(() => laptop.ask((auth) => auth.revokeOthers()));
    expect(laptop.cookies.get('__Host-session')).not.toBe(before);
    await expect(phone.ask((auth) => auth.require())).rejects.toThrow(SessionEnded);
    const { sessions } = await laptop.ask((auth) => auth.list());
    expect(sessions.map(({ current }) => current)).toEqual([true]);
  });

  it('an ended session is not revived when its user is forgotten and signs in again', async () => {
    const old = await signedIn();
    await recordsPutBackBy(() => forgetUser({ kv, db }, 'ada'));
    vi.setSystemTime(START + 1);
    const fresh = await signedIn();
    await expect(old.ask((auth) => auth.require())).rejects.toThrow(SessionEnded);
    expect(await fresh.ask((auth) => auth.confirm())).toMatchObject({ userId: 'ada' });
  });
});

describe('ending others', () => {
  it('ending others needs a new proof 15 minutes after the last, and accepts it in the same request', async () => {
    const [laptop, phone] = [await signedIn(), await signedIn()];
    vi.setSystemTime(START + 15 * MINUTE);
    await expect(laptop.ask((auth) => auth.revokeAll())).rejects.toThrow(ProofNeeded);
    await laptop.ask(async (auth) => {
      await auth.prove();
      await auth.revokeOthers();
    });
    expect(await phone.ask((auth) => auth.confirm())).toBeNull();
    expect(await laptop.ask((auth) => auth.confirm())).toMatchObject({ userId: 'ada' });
  });

  it('ending others works with a proof in the same request if KV accepts no record of it', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const [laptop, phone] = [await signedIn(), await signedIn()];
    vi.setSystemTime(START + 15 * MINUTE);
    const full = new Proxy(kv, { get: (of, name) => (name === 'put' ? down : Reflect.get(of, name)) });
    await laptop.ask(
      async (auth) => {
        await auth.prove();
        await auth.revokeAll();
      },
      { kv: full, db },
    );
    expect(await phone.ask((auth) => auth.confirm())).toBeNull();
  });

  it('ending a session does not reach another user, whose session is unknown', async () => {
    const [laptop, other] = [await signedIn(), await signedIn('bob')];
    const { sessionId } = await other.ask((auth) => auth.require());
    expect(await laptop.ask((auth) => auth.revoke(sessionId))).toBe('unknown');
    expect(await other.ask((auth) => auth.confirm())).toMatchObject({ userId: 'bob' });
  });
});

describe('a request', () => {
  it('a request lists its user’s sessions with their device, the current one first', async () => {
    await signedIn();
    const laptop = await signedIn();
    const { sessions, more, unlisted } = await laptop.ask((auth) => auth.list());
    expect({ more, unlisted, current: sessions.map((one) => one.current) }).toEqual({
      ...{ more: false, unlisted: false },
      current: [true, false],
    });
    expect(sessions[0]).toEqual({
      id: (await laptop.ask((auth) => auth.require())).sessionId,
      current: true,
      device: { browser: 'Firefox 145', system: 'Linux', kind: 'desktop' },
      place: { country: null, city: null },
      signedInAt: START,
      lastActiveAt: START,
      endsAt: START + 60 * MINUTE + 30 * 24 * 60 * MINUTE,
    });
  });

  it('a request without a session asks no store, sets no cookie, and may be cached', async () => {
    const headers = new Headers({ 'cache-control': 'public' });
    const request = new Request('https://shop.example/', { headers: { cookie: '__Host-session=no.token' } });
    const auth = revocableSessions({ request, kv, db, userAdapter });
    expect(await auth.peek()).toBeNull();
    await expect(auth.require()).rejects.toThrow(SessionEnded);
    auth.applyTo(headers);
    expect([...headers]).toEqual([['cache-control', 'public']]);
    expect([store.log.length, d1.counters.queries]).toEqual([0, 0]);
  });

  it('a session’s cookies are for this site alone and out of reach of scripts, and its response is private', async () => {
    const request = new Request('https://shop.example/login', { method: 'POST' });
    const auth = revocableSessions({ request, kv, db, userAdapter });
    await auth.signIn('ada');
    const headers = new Headers();
    auth.applyTo(headers);
    const [cookie = '', ...others] = headers.getSetCookie();
    expect(others).toEqual([]);
    expect(cookie.split('; ').toSorted()).toEqual([
      ...['Expires=Thu, 25 Feb 2027 00:00:00 GMT', 'HttpOnly', 'Max-Age=7776000', 'Path=/', 'SameSite=Lax'],
      ...['Secure', expect.stringMatching(/^__Host-session=ada\.[\w-]{43}$/)],
    ]);
    expect(headers.get('cache-control')).toBe('private, no-store');
  });

  it('while the stores are down, nobody is greeted and nobody let in', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    vi.spyOn(console, 'warn').mockReturnValue(undefined);
    const laptop = await signedIn();
    const broken = { kv, db: d1.connect({ beforeStep: down }) };
    expect(await laptop.ask((auth) => auth.peek(), broken)).toBe('unknown');
    await expect(laptop.ask((auth) => auth.require(), broken)).rejects.toThrow(StoreUnavailable);
    expect(laptop.cookies.has('__Host-session')).toBe(true);
  });

  it.each([
    ['a.b', 'does not fit a cookie'],
    ['nobody', 'has no such user'],
  ])('nobody is signed in as %s', async (userId, message) => {
    await expect(openBrowser().ask((auth) => auth.signIn(userId))).rejects.toThrow(message);
    expect(d1.rows('SELECT * FROM SessionOwner')).toEqual([]);
  });
});

it('the migration creates the same ledger tables as the app’s, statement by statement', async () => {
  const app = createSqliteD1({ migrations: readMigrations() });
  const alone = createSqliteD1({ migrations: [] });
  for (const sql of migration.split(';').filter((text) => text.trim())) await alone.db.prepare(sql).run();
  const shape = (of: typeof d1) =>
    of
      .rows(
        `SELECT tables.name AS tableName, info.name, info.type, info."notnull", info.pk
         FROM sqlite_schema AS tables, pragma_table_info(tables.name) AS info
         WHERE tables.name IN ('RevokedSession', 'SecurityEvent')
         UNION ALL SELECT tbl_name, name, sql, 0, 0 FROM sqlite_schema
         WHERE type = 'index' AND tbl_name IN ('RevokedSession', 'SecurityEvent') AND sql IS NOT NULL`,
      )
      .map((row) => JSON.stringify(row))
      .toSorted();
  expect(shape(alone)).toEqual(shape(app));
  expect(shape(alone).length).toBeGreaterThan(20);
  app.close();
  alone.close();
});

describe('the table of what it costs in its README', () => {
  const HOUR = 60 * MINUTE;
  const readme = readFileSync('src/lib/server/revocable/README.md', 'utf8');
  const [, table = ''] = /\n\| request \|.*\n\|[-|]+\n([^]*?)\n\n/.exec(readme) ?? [];
  const rows = table.split('\n').map((row) => row.slice(2, -2).split(' | '));
  const published = Object.fromEntries(rows.map(([what, ...counts]) => [what, counts.map(Number)]));

  const measured: [what: string, after: number, work: (own: RevocableSessions) => Promise<unknown>][] = [
    ['`peek`, within a minute of the last confirmation', MINUTE - 1, (own) => own.peek()],
    ['`peek`, later', MINUTE, (own) => own.peek()],
    ['`require`', 0, (own) => own.require()],
    ['`require`, once an hour', HOUR + 1, (own) => own.require()],
    ['`list`', 0, (own) => own.list()],
    ['`revokeOthers`', 0, (own) => own.revokeOthers()],
    ['`revokeAll`', 0, (own) => own.revokeAll()],
    ['`signOut`', 0, (own) => own.signOut()],
    ['`prove`', 0, (own) => own.prove()],
  ];

  async function costOf(work: () => Promise<unknown>): Promise<number[]> {
    const before = { ...store.counters };
    d1.resetCounters();
    await work();
    const { get, put, delete: deletes, list } = store.counters;
    return [
      ...[get - before.get, put - before.put, deletes - before.delete, list - before.list],
      d1.counters.queries,
    ];
  }

  it.each(measured)('the published cost of %s is right', async (what, after, work) => {
    await signedIn();
    await signedIn();
    const laptop = await signedIn();
    await laptop.ask((auth) => auth.require());
    vi.setSystemTime(START + after);
    expect(await costOf(() => laptop.ask(work))).toEqual(published[what]);
  });

  it('the published costs of a sign-in, of ending one session, and of a guest are right', async () => {
    const [laptop, phone] = [await signedIn(), await signedIn()];
    const { sessionId } = await phone.ask((auth) => auth.require());
    expect(await costOf(() => laptop.ask((auth) => auth.revoke(sessionId)))).toEqual(published['`revoke`']);
    expect(await costOf(() => signedIn())).toEqual(published['`signIn`']);
    expect(await costOf(() => openBrowser().ask((auth) => auth.confirm()))).toEqual(
      published["nobody's, any method"],
    );
    expect(Object.keys(published)).toHaveLength(measured.length + 3);
  });
});
