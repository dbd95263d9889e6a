/** Anyone can make up a session id. A session that never existed leaves no row; one that existed can always be ended. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ROTATIONS_PER_HOUR_MAX } from '$lib/server/policy';
import { createToken, sessionIdFor } from '$lib/server/sessions/token';
import { Browser } from '../setup/browser';
import { quickHash } from '../simulation/histories-requests';
import { observeD1 } from '../simulation/observed-d1';
import {
  confirmSession,
  listSessions,
  requireSession,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signOut,
  signUp,
  stepUp,
} from '../setup/requests';

const PASSWORD = 'correct horse battery';
const MADE_UP = 40;
const stores = { kv: env.SESSIONS, db: env.DB, layout: 'owner' as const, passwordHash: quickHash };
const post = { ...stores, method: 'POST' as const };

let username: string;
let laptop: Browser;
let userId: string;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  laptop = new Browser();
  await signUp(laptop.request(post), username, PASSWORD);
  userId = laptop.cookie?.split('.')[0] ?? '';
});

async function rowsOf(table: 'RevokedSession' | 'SecurityEvent'): Promise<number> {
  const count = env.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE user_id = ?1`).bind(userId);
  return (await count.first<number>('n')) ?? -1;
}

function deadKV(): KVNamespace {
  return new Proxy(env.SESSIONS, {
    get: () => () => Promise.reject(new Error('KV is down')),
  });
}

const idOf = (browser: Browser) => {
  const [owner = '', token = ''] = (browser.cookie ?? '').split('.');
  return sessionIdFor(owner, token);
};

describe('a session that there never was', () => {
  it('a made-up session leaves no row when its cookie signs out', async () => {
    const before = [await rowsOf('RevokedSession'), await rowsOf('SecurityEvent')];
    for (let i = 0; i < MADE_UP; i += 1) {
      await signOut(new Browser().plant(`${userId}.${createToken()}`).request(post));
    }
    expect([await rowsOf('RevokedSession'), await rowsOf('SecurityEvent')]).toEqual(before);
  });

  it('a made-up session leaves no row when the signed-in user ends it', async () => {
    const before = [await rowsOf('RevokedSession'), await rowsOf('SecurityEvent')];
    for (let i = 0; i < MADE_UP; i += 1) {
      const event = laptop.request(post);
      const madeUp = sessionIdFor(userId, createToken());
      expect(await revokeSession(event, await requireSession(event), madeUp)).toBe('unknown');
    }
    expect([await rowsOf('RevokedSession'), await rowsOf('SecurityEvent')]).toEqual(before);
  });

  it('a made-up session leaves no row when somebody signs in over its cookie', async () => {
    const before = await rowsOf('RevokedSession');
    const stranger = new Browser().plant(`${userId}.${createToken()}`);
    await signUp(stranger.request(post), `${username}-2`, PASSWORD);
    expect(await rowsOf('RevokedSession')).toBe(before);
  });

  it('a made-up session costs a stranger no list and one query', async () => {
    const observed = observeD1(env.DB);
    const lists = vi.fn();
    const kv = new Proxy(env.SESSIONS, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (name === 'list') lists();
        return typeof method === 'function' ? method.bind(target) : method;
      },
    });
    const event = new Browser()
      .plant(`${userId}.${createToken()}`)
      .request({ ...stores, kv, db: observed.db });
    await expect(requireSession(event)).rejects.toMatchObject({ name: 'SessionEnded' });
    expect(lists).not.toHaveBeenCalled();
    expect(observed.counters.queries).toBe(1);
  });
});

describe('a session that there was', () => {
  it.each([
    { how: 'signed up', make: () => Promise.resolve() },
    {
      how: 'signed in',
      make: async () => void (await signIn(laptop.request(post), username, PASSWORD)),
    },
    {
      how: 'rotated by the password',
      make: async () => {
        const event = laptop.request(post);
        await stepUp(event, await requireSession(event), PASSWORD);
      },
    },
    {
      how: 'rotated by ending the others',
      make: async () => {
        const event = laptop.request(post);
        await revokeOtherSessions(event, await requireSession(event));
      },
    },
  ])('a session that was $how can sign out with KV down', async ({ make }) => {
    await make();
    const cookie = laptop.cookie ?? '';
    await laptop.settle();
    await signOut(laptop.request({ ...post, kv: deadKV() }));
    expect(laptop.cookie).toBeUndefined();
    expect(await confirmSession(new Browser().plant(cookie).request(stores))).toBeNull();
  });

  it('a session can be ended even where KV does not show it yet', async () => {
    const phone = new Browser();
    await signIn(phone.request(post), username, PASSWORD);
    const id = idOf(phone);
    const record = await env.SESSIONS.getWithMetadata(`session:${id}`);
    await env.SESSIONS.delete(`session:${id}`);
    const event = laptop.request(post);
    await revokeSession(event, await requireSession(event), id);
    await laptop.settle();
    await env.SESSIONS.put(`session:${id}`, record.value ?? '', { metadata: record.metadata });
    expect(await confirmSession(phone.request(stores))).toBeNull();
  });

  it('a session whose birth is not in D1 can be ended if KV shows it', async () => {
    await env.DB.prepare('DELETE FROM SecurityEvent WHERE user_id = ?1').bind(userId).run();
    const cookie = laptop.cookie ?? '';
    await signOut(laptop.request(post));
    expect(await confirmSession(new Browser().plant(cookie).request(stores))).toBeNull();
    expect(await rowsOf('RevokedSession')).toBe(1);
  });

  it('signing out a session that was replaced by a rotation also ends its successor', async () => {
    const late = laptop.requestUnanswered(post);
    for (let rotations = 0; rotations < 3; rotations += 1) {
      const event = laptop.request(post);
      await revokeOtherSessions(event, await requireSession(event));
    }
    await signOut(late.event);
    expect(await confirmSession(laptop.request(stores))).toBeNull();
  });
});

describe('the list', () => {
  it('the list asks the ledger about the listed sessions only', async () => {
    const insert = env.DB.prepare(
      `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
       SELECT ?1 || '.' || value, ?1, 0, ?2, 'revoked' FROM json_each(?3)`,
    );
    const ids = JSON.stringify(Array.from({ length: 20_000 }, (_, i) => `row-${i}`));
    await insert.bind(userId, Date.now() + 1e9, ids).run();
    const observed = observeD1(env.DB);
    const answered: D1Meta[] = [];
    const db = new Proxy(observed.db, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (name !== 'prepare') return typeof method === 'function' ? method.bind(target) : method;
        return (sql: string) => countRows(target.prepare(sql), answered);
      },
    });
    const event = laptop.request({ ...stores, db });
    const { sessions } = await listSessions(event, await requireSession(event));
    expect(sessions).toHaveLength(1);
    expect(observed.counters.queries).toBe(2);
    expect(Math.max(...answered.map(({ rows_read }) => rows_read))).toBeLessThan(20);
  });
});

/** Records the number of rows that each response has read. */
function countRows(statement: D1PreparedStatement, answered: D1Meta[]): D1PreparedStatement {
  return new Proxy(statement, {
    get(target, name) {
      if (name === 'bind') return (...values: unknown[]) => countRows(target.bind(...values), answered);
      if (name === 'first') {
        return async () => {
          const { results, meta } = await target.all();
          answered.push(meta);
          return results[0] ?? null;
        };
      }
      const method: unknown = Reflect.get(target, name);
      return typeof method === 'function' ? method.bind(target) : method;
    },
  });
}

describe('going on under another token by ending the others', () => {
  it('rotating by ending the others has a limit for each sign-in, past which nothing grows', async () => {
    const phone = new Browser();
    await signIn(phone.request(post), username, PASSWORD);
    const endOthers = async (browser: Browser) => {
      const event = browser.request({ ...post, cookieSecrets: { current: 'a secret of this test' } });
      return revokeOtherSessions(event, await requireSession(event));
    };
    expect(await endOthers(laptop)).toBe(1);
    for (let done = 1; done < ROTATIONS_PER_HOUR_MAX; done += 1) expect(await endOthers(laptop)).toBe(0);
    const cookie = laptop.cookie;
    const before = [await rowsOf('RevokedSession'), await rowsOf('SecurityEvent')];
    expect(await endOthers(laptop)).toMatchObject({ retryAfterSeconds: expect.any(Number) });
    expect([await rowsOf('RevokedSession'), await rowsOf('SecurityEvent')]).toEqual(before);
    // The session continues unchanged.
    expect(laptop.cookie).toBe(cookie);
    expect(await confirmSession(laptop.request(stores))).not.toBeNull();
    // Another sign-in has a limit of its own, so a thief with a copied cookie cannot use up the owner's.
    await signIn(phone.request(post), username, PASSWORD);
    expect(await endOthers(phone)).toBe(1);
  });
});
