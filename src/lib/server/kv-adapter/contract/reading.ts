import { deepEqual, equal } from 'node:assert/strict';
import { HOUR_MILLISECONDS, newUserId, sessionOf } from './fixture.js';
import { ahead, lists, setAll, several, type Check } from './world.js';

/** More than KV reads at once (developers.cloudflare.com/kv/api/read-key-value-pairs). */
const MORE_THAN_A_BULK_READ = 101;

export const reading: Check[] = [
  [
    'getSession gives back what setSession was given',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user));
      deepEqual(await world.adapter.getSession(session.id), session);
    },
  ],
  [
    'getSession gives null for an id that was never set',
    async (world) => {
      await setAll(world, sessionOf(world.user));
      equal(await world.adapter.getSession(sessionOf(world.user).id), null);
      equal(await world.adapter.getSession('*'), null);
    },
  ],
  [
    'getSession does not give a session to a part of its id, or to more than its id',
    async (world) => {
      const [{ id }] = await setAll(world, sessionOf(world.user));
      const near = [id.slice(0, -1), `${id}x`, id.toUpperCase(), `${id} `, id.slice(1), world.user];
      for (const other of near) equal(await world.adapter.getSession(other), null, other);
    },
  ],
  [
    'the list has every session of the user as it was set',
    async (world) => lists(world, world.user, ...(await setAll(world, ...several(world.user, 3)))),
  ],
  [
    'the list of a user without sessions is empty',
    async (world) => {
      await lists(world, world.user);
      await lists(world, '*');
    },
  ],
  [
    'the list keeps apart users whose ids begin alike',
    async (world) => {
      const { user, adapter } = world;
      const ids = [user, `${user}.b`, `${user}:b`, `${user}b`, `${user}.b.c`, user.slice(0, -1)];
      const sessions = await setAll(world, ...ids.map((id) => sessionOf(id)));
      for (const session of sessions) await lists(world, session.user_id, session);
      await adapter.deleteSessionsByUserId(user);
      await lists(world, user);
      for (const session of sessions.slice(1)) await lists(world, session.user_id, session);
    },
  ],
  [
    'the list has more sessions than one bulk read holds, each once',
    async (world) =>
      lists(world, world.user, ...(await setAll(world, ...several(world.user, MORE_THAN_A_BULK_READ)))),
  ],
  [
    'the list leaves out a session that ended, also while KV still has its record',
    async (world) => {
      const short = sessionOf(world.user, { idle_expires: Date.now() + HOUR_MILLISECONDS });
      const [, long] = await setAll(world, short, sessionOf(world.user));
      await lists(world, world.user, short, long);
      await ahead(2 * HOUR_MILLISECONDS, () => lists(world, world.user, long));
    },
  ],
  [
    'ids that no KV key can hold read as nothing and delete nothing, without asking KV',
    async ({ adapter, kv }) => {
      for (const id of ['', 'x'.repeat(600), `u.${'x'.repeat(8192)}`, 'u.\ud800', 'ä'.repeat(300)]) {
        equal(await adapter.getSession(id), null);
        deepEqual(await adapter.getSessionsByUserId(id), []);
        await adapter.deleteSession(id);
        await adapter.deleteSessionsByUserId(id);
      }
      deepEqual(kv.operations, []);
    },
  ],
  [
    'one user’s sessions are nobody else’s',
    async (world) => {
      const [own, other] = await setAll(world, sessionOf(world.user), sessionOf(newUserId()));
      await lists(world, world.user, own);
      await lists(world, other.user_id, other);
    },
  ],
];
