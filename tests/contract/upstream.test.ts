import { env } from 'cloudflare:workers';
import { Database, testSessionAdapter, type TestSessionSchema } from '@lucia-auth/adapter-test';
import { LuciaError, type SessionSchema } from 'lucia';
import { expect, test, vi } from 'vitest';
import { cloudflareKvBinding, type SessionLayout } from '$lib/server/kv-adapter';

/**
 * Lucia's own suite seeds and inspects storage without the adapter. So these handlers write the documented records themselves, and the
 * adapter must be able to read them.
 */
function databaseFor(layout: SessionLayout, prefixes: { session: string; userSessions: string }) {
  const keysOf = async (prefix: string) =>
    (await env.SESSIONS.list({ prefix: `${prefix}:` })).keys.map((key) => key.name);
  const database = new Database({
    session: {
      get: async () => {
        const keys = await keysOf(prefixes.session);
        const records = await Promise.all(keys.map((key) => env.SESSIONS.get<SessionSchema>(key, 'json')));
        return records.filter((record) => record !== null);
      },
      insert: async (session) => {
        await env.SESSIONS.put(`${prefixes.session}:${session.id}`, JSON.stringify(session));
        if (layout === 'owner') return;
        const key = `${prefixes.userSessions}:${session.user_id}`;
        const listed = (await env.SESSIONS.get<string[]>(key, 'json')) ?? [];
        await env.SESSIONS.put(key, JSON.stringify([...listed, session.id]));
      },
      clear: async () => {
        const keys = [...(await keysOf(prefixes.session)), ...(await keysOf(prefixes.userSessions))];
        await Promise.all(keys.map((key) => env.SESSIONS.delete(key)));
      },
    },
  });
  if (layout === 'owner') {
    const { generateSession } = database;
    database.generateSession = (userId, options): TestSessionSchema => {
      const session = generateSession(userId, options);
      return { ...session, id: `${session.user_id}.${session.id}` };
    };
  }
  return database;
}

test.each(['index', 'owner'] as const)(
  'the %s layout passes @lucia-auth/adapter-test’s session suite',
  async (layout) => {
    const log = vi.spyOn(console, 'log').mockImplementation(() => {});
    const prefixes = { session: `upstream_${layout}`, userSessions: `upstream_user_${layout}` };
    const adapter = cloudflareKvBinding(env.SESSIONS, prefixes, { layout })(LuciaError);
    await testSessionAdapter(adapter, databaseFor(layout, prefixes));
    const said = log.mock.calls.flat().join('\n');
    log.mockRestore();
    expect(said).toContain('[success]');
    expect(said.match(/✓/g)).toHaveLength(8);
  },
);
