import { env } from 'cloudflare:workers';
import { LuciaError } from 'lucia';
import { expect, test } from 'vitest';
import { cloudflareKvBinding, type SessionKV } from '$lib/server/kv-adapter';
import { RecordingKV } from '$lib/server/kv-adapter/contract/recording-kv';
import { newUserId, sessionOf } from '$lib/server/kv-adapter/contract/fixture';

test('the adapter has exactly the six session methods, in both layouts', () => {
  for (const layout of ['index', 'owner'] as const) {
    const adapter = cloudflareKvBinding(env.SESSIONS, undefined, { layout })(LuciaError);
    expect(Object.keys(adapter)).toEqual([
      'getSession',
      'getSessionsByUserId',
      'setSession',
      'updateSession',
      'deleteSession',
      'deleteSessionsByUserId',
    ]);
  }
});

test('the default layout is index', async () => {
  for (const binding of [
    cloudflareKvBinding(env.SESSIONS),
    cloudflareKvBinding(env.SESSIONS, undefined, {}),
  ]) {
    const session = sessionOf(newUserId());
    await binding(LuciaError).setSession(session);
    expect(await env.SESSIONS.get(`user_sessions:${session.user_id}`, 'json')).toEqual([session.id]);
  }
});

test.each([
  ['session', 'session'],
  ['s', 's:u'],
  ['s:u', 's'],
  ['', ''],
])('prefixes that can make the same key are refused: %j and %j', (session, userSessions) => {
  expect(() => cloudflareKvBinding(env.SESSIONS, { session, userSessions })).toThrow(
    /^\[kv-adapter\] .+: choose/,
  );
});

test.each([
  ['session', 'sessions'],
  ['app:s', 'app:u'],
  ['session', 'user_sessions'],
])('prefixes that cannot make the same key are accepted: %j and %j', (session, userSessions) => {
  expect(() => cloudflareKvBinding(env.SESSIONS, { session, userSessions })).not.toThrow();
});

test.each(['hash', 'constructor', ''])('the unknown layout %j is refused', (layout) => {
  const make = () => Reflect.apply(cloudflareKvBinding, null, [env.SESSIONS, undefined, { layout }]);
  expect(make).toThrow(/^\[kv-adapter\] unknown layout ".*": use "index" or "owner"$/);
});

test('a missing binding is named in the error', () => {
  expect(() => Reflect.apply(cloudflareKvBinding, null, [undefined])).toThrow(
    /^\[kv-adapter\] no KV namespace .+: bind/,
  );
});

test.each(['index', 'owner'] as const)(
  'if a KV takes an array of keys for an odd key, the records are read one by one, six at once (%s layout)',
  async (layout) => {
    const user = newUserId();
    const writer = cloudflareKvBinding(env.SESSIONS, undefined, { layout })(LuciaError);
    const sessions = Array.from({ length: 9 }, () => sessionOf(user, { username: 'x'.repeat(1024) }));
    for (const session of sessions) await writer.setSession(session);
    const old: SessionKV = {
      get: (key) => (Array.isArray(key) ? Promise.resolve(null) : env.SESSIONS.get(key)),
      put: (key, value, options) => env.SESSIONS.put(key, value, options),
      delete: (key) => env.SESSIONS.delete(key),
      list: (options) => env.SESSIONS.list(options),
    };
    const kv = new RecordingKV(old);
    const listed = await cloudflareKvBinding(kv, undefined, { layout })(LuciaError).getSessionsByUserId(user);
    expect(listed).toHaveLength(9);
    expect(listed).toEqual(expect.arrayContaining(sessions));
    expect(kv.peak).toBe(6);
  },
);

test.each([
  ['a session id that is no KV key', { id: '' }],
  ['a user id that is no KV key', { user_id: '', id: '.x' }],
  ['a time that is no number', { idle_expires: Number.NaN }],
])('the error says what to do about %s', async (_, changes) => {
  for (const layout of ['index', 'owner'] as const) {
    const adapter = cloudflareKvBinding(env.SESSIONS, undefined, { layout })(LuciaError);
    await expect(adapter.setSession(sessionOf(newUserId(), changes))).rejects.toThrow(/^\[kv-adapter\] .+: /);
  }
});
