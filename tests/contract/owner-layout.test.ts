import { env } from 'cloudflare:workers';
import { LuciaError, type SessionAdapter, type SessionSchema } from 'lucia';
import { beforeEach, describe, expect, test } from 'vitest';
import { cloudflareKvBinding, sessionOwner, type SessionKV } from '$lib/server/kv-adapter';
import { RecordingKV } from '$lib/server/kv-adapter/contract/recording-kv';
import { HOUR_MILLISECONDS, idsOf, newUserId, sessionOf } from '$lib/server/kv-adapter/contract/fixture';

const adapterOn = (kv: SessionKV) => cloudflareKvBinding(kv, undefined, { layout: 'owner' })(LuciaError);
const jsonBytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).byteLength;

describe('owner layout: the records', () => {
  let kv: RecordingKV;
  let adapter: SessionAdapter;
  let user: string;

  beforeEach(() => {
    kv = new RecordingKV(env.SESSIONS);
    adapter = adapterOn(kv);
    user = newUserId();
  });

  const rawKeys = async () => (await env.SESSIONS.list({ prefix: `session:${user}` })).keys;
  const putRaw = (session: SessionSchema, metadata?: unknown, text = JSON.stringify(session)) =>
    env.SESSIONS.put(`session:${session.id}`, text, { metadata });
  /** Returns a session whose JSON has this many bytes. */
  const sessionOfBytes = (bytes: number) => {
    const bare = sessionOf(user, { username: '' });
    return { ...bare, username: 'é'.repeat(2) + 'x'.repeat(bytes - jsonBytes(bare) - 4) };
  };

  test('owner layout: KV holds one record per session, with the session as JSON and again in the metadata', async () => {
    const session = sessionOf(user);
    await adapter.setSession(session);
    expect(await env.SESSIONS.get(`session:${session.id}`)).toBe(JSON.stringify(session));
    expect(await rawKeys()).toEqual([
      {
        name: `session:${session.id}`,
        expiration: Math.ceil(session.idle_expires / 1000),
        metadata: session,
      },
    ]);
    expect(kv.counts()).toEqual({ get: 0, put: 1, delete: 0, list: 0 });
    expect(await env.SESSIONS.get(`user_sessions:${user}`)).toBeNull();
  });

  test('owner layout: keys begin with the configured prefix', async () => {
    const session = sessionOf(user);
    const prefixed = cloudflareKvBinding(
      env.SESSIONS,
      { session: 'app:s', userSessions: 'app:u' },
      { layout: 'owner' },
    )(LuciaError);
    await prefixed.setSession(session);
    expect(await env.SESSIONS.get(`app:s:${session.id}`, 'json')).toEqual(session);
    expect(await prefixed.getSessionsByUserId(user)).toEqual([session]);
    expect(await adapter.getSessionsByUserId(user)).toEqual([]);
  });

  test('a session of 1,024 bytes is in the metadata, one of 1,025 is read from its record', async () => {
    const [fits, exceeds] = [sessionOfBytes(1024), sessionOfBytes(1025)];
    await adapter.setSession(fits);
    await adapter.setSession(exceeds);
    const metadata = new Map((await rawKeys()).map((key) => [key.name, key.metadata]));
    expect(metadata.get(`session:${fits.id}`)).toEqual(fits);
    expect(metadata.get(`session:${exceeds.id}`)).toBeUndefined();
    kv.reset();
    const listed = await adapter.getSessionsByUserId(user);
    expect(listed).toHaveLength(2);
    expect(listed).toEqual(expect.arrayContaining([fits, exceeds]));
    expect(kv.counts()).toEqual({ get: 1, put: 0, delete: 0, list: 1 });
  });

  test('an update that no longer fits the metadata removes it, and the listing shows the update', async () => {
    const session = sessionOf(user);
    await adapter.setSession(session);
    const update = { username: 'x'.repeat(1024) };
    await adapter.updateSession(session.id, update);
    expect((await rawKeys())[0]?.metadata).toBeUndefined();
    expect(await adapter.getSessionsByUserId(user)).toEqual([{ ...session, ...update }]);
  });

  test('250 sessions without metadata are read 100 per operation', async () => {
    const sessions = Array.from({ length: 250 }, () => sessionOf(user));
    for (const session of sessions) await putRaw(session);
    expect(idsOf(await adapter.getSessionsByUserId(user))).toEqual(idsOf(sessions));
    expect(kv.counts()).toEqual({ get: 3, put: 0, delete: 0, list: 1 });
  });

  test('if the metadata does not match the session of its key, the record is used instead', async () => {
    const other = sessionOf(newUserId());
    const odd: unknown[] = ['text', 7, [], {}, { epoch: 1 }, other];
    const sessions = odd.map(() => sessionOf(user));
    for (const [at, session] of sessions.entries()) await putRaw(session, odd[at]);
    const listed = await adapter.getSessionsByUserId(user);
    expect(listed).toHaveLength(odd.length);
    expect(listed).toEqual(expect.arrayContaining(sessions));
  });

  test('a record and metadata that name another owner read as no session', async () => {
    const session = sessionOf(user);
    await putRaw({ ...session, user_id: newUserId() }, { ...session, user_id: newUserId() });
    expect(await adapter.getSession(session.id)).toBeNull();
    expect(await adapter.getSessionsByUserId(user)).toEqual([]);
    await adapter.deleteSessionsByUserId(user);
    expect(await rawKeys()).toEqual([]);
  });

  test('a record that does not parse reads as no session, and is deleted with the others', async () => {
    const session = sessionOf(user);
    for (const text of ['', 'not JSON', 'null', JSON.stringify({ ...session, id: `${user}.another` })]) {
      await putRaw(session, undefined, text);
      expect(await adapter.getSession(session.id)).toBeNull();
      expect(await adapter.getSessionsByUserId(user)).toEqual([]);
    }
    await adapter.deleteSessionsByUserId(user);
    expect(await rawKeys()).toEqual([]);
  });

  test('a key with the user’s prefix whose rest has a dot belongs to another user', async () => {
    const neighbour = sessionOf(`${user}.b`);
    await adapter.setSession(neighbour);
    expect(await adapter.getSessionsByUserId(user)).toEqual([]);
    await adapter.deleteSessionsByUserId(user);
    expect(await adapter.getSession(neighbour.id)).toEqual(neighbour);
  });

  test.each(['', 'x', '.', '.x', 'x.', `${'x'.repeat(600)}.y`, '*', 'a.b.'])(
    'a malformed id (%s) reads as null, and costs no operation',
    async (id) => {
      expect(await adapter.getSession(id)).toBeNull();
      await adapter.deleteSession(id);
      const update = adapter.updateSession(id, {});
      await expect(update).rejects.toEqual(new LuciaError('AUTH_INVALID_SESSION_ID'));
      expect(kv.operations).toEqual([]);
    },
  );

  test.each([
    ['of no owner', () => 'x'.repeat(40)],
    ['of another owner', () => `${newUserId()}.x`],
    ['of a user whose id the owner’s begins with', () => `${user}x.y`],
    ['with a dot after the owner', () => `${user}.x.y`],
    ['with nothing after the owner', () => `${user}.`],
  ])('setSession refuses an id %s, says what to do, and keeps the id to itself', async (_, idFor) => {
    const id = idFor();
    const refused = adapter.setSession(sessionOf(user, { id }));
    await expect(refused).rejects.toThrow(/^\[kv-adapter\] .+: give createSession such a sessionId/);
    await expect(refused).rejects.not.toThrow(id);
    expect(kv.operations).toEqual([]);
  });

  test('1,001 sessions are listed once each, over two pages, and deleted', { timeout: 60_000 }, async () => {
    const sessions = Array.from({ length: 1_001 }, () => sessionOf(user));
    const plain = adapterOn(env.SESSIONS);
    for (let at = 0; at < sessions.length; at += 100) {
      await Promise.all(sessions.slice(at, at + 100).map((session) => plain.setSession(session)));
    }
    expect(idsOf(await adapter.getSessionsByUserId(user))).toEqual(idsOf(sessions));
    expect(kv.counts()).toEqual({ get: 0, put: 0, delete: 0, list: 2 });
    kv.reset();
    await adapter.deleteSessionsByUserId(user);
    expect(kv.counts()).toEqual({ get: 0, put: 0, delete: 1_001, list: 2 });
    expect(await rawKeys()).toEqual([]);
  });

  test('an empty page that is not the last does not end the listing', async () => {
    const session = sessionOf(user, { idle_expires: Date.now() + HOUR_MILLISECONDS });
    const pages = [
      { keys: [], list_complete: false, cursor: 'one' },
      {
        keys: [{ name: `session:${session.id}`, metadata: session }],
        list_complete: false,
        cursor: 'two',
      },
      { keys: [], list_complete: true },
    ];
    const asked: (string | undefined)[] = [];
    const paging: SessionKV = {
      get: (key) => env.SESSIONS.get(String(key)),
      put: (key, value, options) => env.SESSIONS.put(key, value, options),
      delete: (key) => env.SESSIONS.delete(key),
      list: async ({ cursor }) => {
        asked.push(cursor);
        return pages[asked.length - 1] ?? { keys: [], list_complete: true };
      },
    };
    expect(await adapterOn(paging).getSessionsByUserId(user)).toEqual([session]);
    expect(asked).toEqual([undefined, 'one', 'two']);
  });
});

test.each([
  ['ada.hash', 'ada'],
  ['ada.l.hash', 'ada.l'],
  ['.hash', null],
  ['ada.', null],
  ['ada', null],
  ['', null],
  ['.', null],
])('the owner of %j is %j', (id, owner) => {
  expect(sessionOwner(id)).toBe(owner);
});
