import { ok, rejects } from 'node:assert/strict';
import type { SessionAdapter, SessionSchema } from 'lucia';
import { newUserId, sessionOf } from './fixture.js';
import { setAll, type Check } from './world.js';

type Call = (adapter: SessionAdapter, session: SessionSchema) => Promise<unknown>;

const calls: [method: string, call: Call][] = [
  ['getSession', (adapter, { id }) => adapter.getSession(id)],
  ['getSessionsByUserId', (adapter, { user_id }) => adapter.getSessionsByUserId(user_id)],
  ['setSession', (adapter, { user_id }) => adapter.setSession(sessionOf(user_id))],
  ['updateSession', (adapter, { id }) => adapter.updateSession(id, { epoch: 1 })],
  ['deleteSession', (adapter, { id }) => adapter.deleteSession(id)],
  ['deleteSessionsByUserId', (adapter, { user_id }) => adapter.deleteSessionsByUserId(user_id)],
];

export const failures: Check[] = [
  ...calls.map(([method, call]): Check => [
    `${method} rejects with KV’s very error, whichever operation failed`,
    async (world) => {
      const { adapter, kv } = world;
      const prepare = async () => {
        const user = newUserId();
        const [session] = await setAll(world, sessionOf(user), sessionOf(user), sessionOf(user));
        kv.reset();
        return session;
      };
      await call(adapter, await prepare());
      const operations = kv.operations.length;
      ok(operations > 0);
      for (let number = 0; number < operations; number += 1) {
        const session = await prepare();
        const failure = new Error(`KV failed: 500, operation ${number}`);
        kv.failAt(number, failure);
        await rejects(call(adapter, session), (error) => error === failure);
      }
    },
  ]),
  [
    'setSession that failed half-way leaves no session that the list does not reach',
    async ({ adapter, kv, user }) => {
      await adapter.setSession(sessionOf(user));
      const operations = kv.operations.length;
      for (let number = 0; number < operations; number += 1) {
        const session = sessionOf(user);
        kv.failAt(number, new Error('KV failed: 500'));
        await rejects(adapter.setSession(session), /KV failed: 500/);
        const listed = await adapter.getSessionsByUserId(user);
        const isReached = listed.some(({ id }) => id === session.id);
        ok(isReached || (await adapter.getSession(session.id)) === null);
      }
    },
  ],
];
