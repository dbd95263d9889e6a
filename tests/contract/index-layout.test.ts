import { env } from 'cloudflare:workers';
import { LuciaError, type SessionAdapter } from 'lucia';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cloudflareKvBinding } from '$lib/server/kv-adapter';
import { RecordingKV } from '$lib/server/kv-adapter/contract/recording-kv';
import { HOUR_MILLISECONDS, newUserId, sessionOf } from '$lib/server/kv-adapter/contract/fixture';

describe('index layout: the records', () => {
  let kv: RecordingKV;
  let adapter: SessionAdapter;
  let user: string;

  beforeEach(() => {
    kv = new RecordingKV(env.SESSIONS);
    adapter = cloudflareKvBinding(kv)(LuciaError);
    user = newUserId();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const rawIndex = () => env.SESSIONS.get(`user_sessions:${user}`, 'json');
  const rawExpiration = async (key: string) =>
    (await env.SESSIONS.list({ prefix: key })).keys.find(({ name }) => name === key)?.expiration;
  const seconds = (milliseconds: number) => Math.ceil(milliseconds / 1000);

  test('index layout: KV holds the session as JSON and the user’s session ids as a JSON array, and nothing else', async () => {
    const first = sessionOf(user, { id: `stock${crypto.randomUUID()}` });
    const second = sessionOf(user);
    await adapter.setSession(first);
    await adapter.setSession(second);
    expect(await env.SESSIONS.get(`session:${first.id}`)).toBe(JSON.stringify(first));
    expect(await env.SESSIONS.get(`user_sessions:${user}`)).toBe(JSON.stringify([first.id, second.id]));
    const written = new Set(kv.puts().map(({ key }) => key));
    expect([...written].sort()).toEqual(
      [`session:${first.id}`, `session:${second.id}`, `user_sessions:${user}`].sort(),
    );
    expect(kv.puts().every(({ options }) => options.metadata === undefined)).toBe(true);
  });

  test('index layout: keys begin with the configured prefixes', async () => {
    const session = sessionOf(user);
    const prefixes = { session: 'app:s', userSessions: 'app:u' };
    await cloudflareKvBinding(env.SESSIONS, prefixes)(LuciaError).setSession(session);
    expect(await env.SESSIONS.get(`app:s:${session.id}`, 'json')).toEqual(session);
    expect(await env.SESSIONS.get(`app:u:${user}`, 'json')).toEqual([session.id]);
    expect(await adapter.getSession(session.id)).toBeNull();
  });

  test('the index lists an id once, however often it is written', async () => {
    const session = sessionOf(user);
    await adapter.setSession(session);
    await adapter.setSession(session);
    expect(await rawIndex()).toEqual([session.id]);
  });

  test('the index is deleted with the last session', async () => {
    const session = sessionOf(user);
    await adapter.setSession(session);
    await adapter.deleteSession(session.id);
    expect(await rawIndex()).toBeNull();
    await adapter.setSession(session);
    await adapter.deleteSessionsByUserId(user);
    expect(await rawIndex()).toBeNull();
  });

  test('sessions are listed even if the index cannot be cleaned up', async () => {
    const [session, gone] = [sessionOf(user), sessionOf(user)];
    await adapter.setSession(gone);
    await adapter.setSession(session);
    await env.SESSIONS.delete(`session:${gone.id}`);
    const refused = new RecordingKV(env.SESSIONS);
    refused.put = () => Promise.reject(new Error('KV PUT failed: 429 Too Many Requests'));
    expect(await cloudflareKvBinding(refused)(LuciaError).getSessionsByUserId(user)).toEqual([session]);
    expect(await rawIndex()).toEqual([gone.id, session.id]);
  });

  test('the index expires with the longest-lived session, even after that session was renewed or deleted', async () => {
    const key = `user_sessions:${user}`;
    const day = 24 * HOUR_MILLISECONDS;
    const now = Date.now();
    const long = sessionOf(user, { idle_expires: now + 30 * day });
    const short = sessionOf(user, { idle_expires: now + 10 * day });
    await adapter.setSession(long);
    await adapter.setSession(short);
    expect(await rawExpiration(key)).toBe(seconds(long.idle_expires));
    expect(await rawExpiration(`session:${short.id}`)).toBe(seconds(short.idle_expires));
    await adapter.updateSession(short.id, { idle_expires: now + 40 * day });
    expect(await rawExpiration(key)).toBe(seconds(now + 40 * day));
    await adapter.deleteSession(short.id);
    expect(await rawExpiration(key)).toBe(seconds(long.idle_expires));
  });

  describe('no id of an ended session stays in the index', () => {
    const seed = async () => {
      const ended = sessionOf(user, { idle_expires: Date.now() + HOUR_MILLISECONDS });
      const live = sessionOf(user);
      const other = sessionOf(user);
      for (const session of [ended, live, other]) await adapter.setSession(session);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * HOUR_MILLISECONDS });
      return { ended, live, other };
    };

    test('an ended session leaves the index when sessions are listed', async () => {
      const { live, other } = await seed();
      await adapter.getSessionsByUserId(user);
      expect(await rawIndex()).toEqual([live.id, other.id]);
    });

    test('an ended session leaves the index at the next sign-in', async () => {
      const { live, other } = await seed();
      const next = sessionOf(user);
      await adapter.setSession(next);
      expect(await rawIndex()).toEqual([live.id, other.id, next.id]);
    });

    test('an ended session leaves the index at a renewal, and at a change of attributes alone', async () => {
      const { live, other } = await seed();
      await adapter.updateSession(live.id, { epoch: 2 });
      expect(await rawIndex()).toEqual([other.id, live.id]);
    });

    test('an ended session leaves the index at a sign-out', async () => {
      const { live, other } = await seed();
      await adapter.deleteSession(live.id);
      expect(await rawIndex()).toEqual([other.id]);
    });

    test('an ended session leaves the index even if KV has already dropped its record', async () => {
      const [gone, live] = [sessionOf(user), sessionOf(user)];
      await adapter.setSession(gone);
      await adapter.setSession(live);
      await env.SESSIONS.delete(`session:${gone.id}`);
      expect(await adapter.getSessionsByUserId(user)).toEqual([live]);
      expect(await rawIndex()).toEqual([live.id]);
    });

    test('the index is deleted if the ended session was the only one', async () => {
      const ended = sessionOf(user, { idle_expires: Date.now() + HOUR_MILLISECONDS });
      await adapter.setSession(ended);
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 2 * HOUR_MILLISECONDS });
      expect(await adapter.getSessionsByUserId(user)).toEqual([]);
      expect(await rawIndex()).toBeNull();
    });
  });

  test('a listing with nothing to clean up writes nothing', async () => {
    await adapter.setSession(sessionOf(user));
    kv.reset();
    await adapter.getSessionsByUserId(user);
    expect(kv.counts()).toEqual({ get: 2, put: 0, delete: 0, list: 0 });
  });

  test.each(['', 'not JSON', '{}', 'null', '"text"', '[1, null, {}]', '{"length":1}'])(
    'a broken index (%s) reads as empty, and the next sign-in replaces it',
    async (broken) => {
      await env.SESSIONS.put(`user_sessions:${user}`, broken);
      expect(await adapter.getSessionsByUserId(user)).toEqual([]);
      const session = sessionOf(user);
      await adapter.setSession(session);
      expect(await rawIndex()).toEqual([session.id]);
    },
  );

  test('an index entry that is not a valid key or belongs to another user is dropped', async () => {
    const foreign = sessionOf(newUserId());
    const session = sessionOf(user);
    await adapter.setSession(foreign);
    await adapter.setSession(session);
    const index = [foreign.id, 'x'.repeat(600), '', session.id, session.id];
    await env.SESSIONS.put(`user_sessions:${user}`, JSON.stringify(index));
    expect(await adapter.getSessionsByUserId(user)).toEqual([session]);
    expect(await rawIndex()).toEqual([session.id]);
    expect(await adapter.getSession(foreign.id)).toEqual(foreign);
  });

  test('a record that does not belong to its key reads as no session', async () => {
    const session = sessionOf(user);
    const { id: _id, ...anonymous } = session;
    const broken = [
      '',
      'not JSON',
      'null',
      '[]',
      '"text"',
      JSON.stringify({ ...session, id: 'another' }),
      JSON.stringify({ ...session, user_id: 7 }),
      JSON.stringify({ ...session, idle_expires: String(session.idle_expires) }),
      JSON.stringify({ ...session, active_expires: null }),
      JSON.stringify(anonymous),
    ];
    for (const text of broken) {
      await env.SESSIONS.put(`session:${session.id}`, text);
      expect(await adapter.getSession(session.id)).toBeNull();
      const update = adapter.updateSession(session.id, { epoch: 1 });
      await expect(update).rejects.toEqual(new LuciaError('AUTH_INVALID_SESSION_ID'));
    }
    await adapter.deleteSession(session.id);
    expect(await env.SESSIONS.get(`session:${session.id}`)).toBeNull();
  });

  test('a sign-in writes the record before the index', async () => {
    const session = sessionOf(user);
    await adapter.setSession(session);
    expect(kv.puts().map(({ key }) => key)).toEqual([`session:${session.id}`, `user_sessions:${user}`]);
  });

  test('a listed session stays in the list when its record can be written again but the index cannot', async () => {
    const session = sessionOf(user);
    await adapter.setSession(session);
    const operations = kv.operations.length;
    for (let number = 0; number < operations; number += 1) {
      kv.failAt(number, new Error('KV PUT failed: 429 Too Many Requests'));
      await expect(adapter.setSession(session)).rejects.toThrow('429');
      expect(await adapter.getSession(session.id), `operation ${number} failed`).toEqual(session);
    }
  });

  test('listing 250 sessions reads the index and then 100 records per operation', async () => {
    const sessions = Array.from({ length: 250 }, () => sessionOf(user));
    for (const session of sessions) await env.SESSIONS.put(`session:${session.id}`, JSON.stringify(session));
    await env.SESSIONS.put(`user_sessions:${user}`, JSON.stringify(sessions.map(({ id }) => id)));
    expect(await adapter.getSessionsByUserId(user)).toEqual(sessions);
    expect(kv.counts()).toEqual({ get: 4, put: 0, delete: 0, list: 0 });
  });
});
