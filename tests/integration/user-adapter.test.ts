import { Database, testAdapter } from '@lucia-auth/adapter-test';
import { env } from 'cloudflare:workers';
import { LuciaError, type KeySchema, type SessionSchema, type UserSchema } from 'lucia';
import { beforeEach, describe, expect, it } from 'vitest';
import { userAdapter } from '$lib/server/accounts/user-adapter';
import { cloudflareKvBinding } from '$lib/server/kv-adapter';

const adapter = userAdapter(env.DB)(LuciaError);
const sessions = cloudflareKvBinding(env.SESSIONS)(LuciaError);

async function clear() {
  await env.DB.batch([env.DB.prepare('DELETE FROM Key'), env.DB.prepare('DELETE FROM User')]);
}

async function rows() {
  const [users, keys] = await env.DB.batch<{ id: string }>([
    env.DB.prepare('SELECT id FROM User ORDER BY id'),
    env.DB.prepare('SELECT id FROM Key ORDER BY id'),
  ]);
  return { users: users?.results.map(({ id }) => id), keys: keys?.results.map(({ id }) => id) };
}

beforeEach(clear);

describe('the user adapter', () => {
  it('the user adapter passes Lucia’s own suite over D1', async () => {
    await testAdapter(
      { ...adapter, ...sessions },
      new Database({
        user: {
          get: async () => (await env.DB.prepare('SELECT id, username FROM User').all<UserSchema>()).results,
          insert: async ({ id, username }: UserSchema) => {
            await env.DB.prepare('INSERT INTO User (id, username) VALUES (?1, ?2)').bind(id, username).run();
          },
          clear: async () => {
            await env.DB.prepare('DELETE FROM User').run();
          },
        },
        key: {
          get: async () => (await env.DB.prepare('SELECT * FROM Key').all<KeySchema>()).results,
          insert: async ({ id, user_id, hashed_password }: KeySchema) => {
            await env.DB.prepare('INSERT INTO Key (id, user_id, hashed_password) VALUES (?1, ?2, ?3)')
              .bind(id, user_id, hashed_password)
              .run();
          },
          clear: async () => {
            await env.DB.prepare('DELETE FROM Key').run();
          },
        },
        session: {
          get: async () => {
            const records = await env.SESSIONS.get<SessionSchema>(await sessionKeys(), 'json');
            return [...records.values()].filter((record) => record !== null);
          },
          insert: sessions.setSession,
          clear: async () => {
            for (const name of await sessionKeys()) await env.SESSIONS.delete(name);
          },
        },
      }),
    );
    expect(await rows()).toEqual({ users: [], keys: [] });
  });

  it('the user adapter creates a user and a key together', async () => {
    await adapter.setUser({ id: 'u1', username: 'ada' }, key('username:ada', 'u1'));
    expect(await rows()).toEqual({ users: ['u1'], keys: ['username:ada'] });
  });

  it('neither user nor key is created if the username is taken', async () => {
    await adapter.setUser({ id: 'u1', username: 'ada' }, key('username:ada', 'u1'));
    await expect(
      adapter.setUser({ id: 'u2', username: 'ada' }, key('other:ada', 'u2')),
    ).rejects.toMatchObject({
      message: 'AUTH_DUPLICATE_KEY_ID',
    });
    expect(await rows()).toEqual({ users: ['u1'], keys: ['username:ada'] });
  });

  it('neither user nor key is created if the key exists', async () => {
    await adapter.setUser({ id: 'u1', username: 'ada' }, key('username:ada', 'u1'));
    await expect(
      adapter.setUser({ id: 'u2', username: 'bob' }, key('username:ada', 'u2')),
    ).rejects.toMatchObject({
      message: 'AUTH_DUPLICATE_KEY_ID',
    });
    expect(await rows()).toEqual({ users: ['u1'], keys: ['username:ada'] });
  });

  it('neither user nor key is created if the insert of the key fails for another reason, and the error says which', async () => {
    const keyOfNobody = key('username:ada', 'nobody');
    await expect(adapter.setUser({ id: 'u1', username: 'ada' }, keyOfNobody)).rejects.toThrow(/FOREIGN KEY/);
    expect(await rows()).toEqual({ users: [], keys: [] });
  });

  it('of two simultaneous sign-ups with one name, exactly one succeeds', async () => {
    const outcomes = await Promise.allSettled(
      ['u1', 'u2'].map((id) => adapter.setUser({ id, username: 'ada' }, key('username:ada', id))),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const { users, keys } = await rows();
    expect(users).toHaveLength(1);
    expect(keys).toEqual(['username:ada']);
  });
});

function key(id: string, user_id: string): KeySchema {
  return { id, user_id, hashed_password: null };
}

async function sessionKeys(): Promise<string[]> {
  return (await env.SESSIONS.list({ prefix: 'session:' })).keys.map(({ name }) => name);
}
