import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { newUserId, sessionOf } from './fixture.js';
import { lists, setAll, several, type Check } from './world.js';

/** A Worker has six connections open at once, at most (developers.cloudflare.com/workers/platform/limits). */
const SIMULTANEOUS_OPERATIONS = 6;

export const deleting: Check[] = [
  [
    'deleteSession deletes that session and keeps the others',
    async (world) => {
      const [first, second, third] = await setAll(
        world,
        sessionOf(world.user),
        sessionOf(world.user),
        sessionOf(world.user),
      );
      await world.adapter.deleteSession(second.id);
      equal(await world.adapter.getSession(second.id), null);
      deepEqual(await world.adapter.getSession(first.id), first);
      await lists(world, world.user, first, third);
    },
  ],
  [
    'deleteSession of a session that is not there does nothing',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user));
      await world.adapter.deleteSession(sessionOf(world.user).id);
      await world.adapter.deleteSession('*');
      await lists(world, world.user, session);
    },
  ],
  [
    'deleteSession of the last session, twice, leaves nothing to list',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user));
      await world.adapter.deleteSession(session.id);
      await world.adapter.deleteSession(session.id);
      await lists(world, world.user);
    },
  ],
  [
    'deleteSessionsByUserId deletes all of the user’s sessions and no one else’s',
    async (world) => {
      const sessions = await setAll(world, ...several(world.user, 8));
      const [foreign] = await setAll(world, sessionOf(newUserId()));
      await world.adapter.deleteSessionsByUserId(world.user);
      await lists(world, world.user);
      for (const { id } of sessions) equal(await world.adapter.getSession(id), null);
      deepEqual(await world.adapter.getSession(foreign.id), foreign);
      await lists(world, foreign.user_id, foreign);
    },
  ],
  [
    'deleteSessionsByUserId of a user without sessions does nothing',
    async ({ adapter, user }) => equal(await adapter.deleteSessionsByUserId(user), undefined),
  ],
  [
    'deleteSessionsByUserId deletes several at once, six at most',
    async (world) => {
      await setAll(world, ...several(world.user, 14));
      world.kv.reset();
      await world.adapter.deleteSessionsByUserId(world.user);
      ok(world.kv.counts().delete >= 14);
      ok(world.kv.peak > 1 && world.kv.peak <= SIMULTANEOUS_OPERATIONS, `${world.kv.peak} at once`);
    },
  ],
  [
    'deleteSessionsByUserId goes on when one delete fails, and then throws that failure',
    async (world) => {
      const { adapter, kv, user } = world;
      const sessions = await setAll(world, ...several(user, 8));
      const failure = new Error('KV DELETE failed: 500 Internal Server Error');
      kv.failAt(1, failure);
      await rejects(adapter.deleteSessionsByUserId(user), (error) => error === failure);
      const read = () => Promise.all(sessions.map(({ id }) => adapter.getSession(id)));
      equal((await read()).filter((session) => session !== null).length, 1);
      await adapter.deleteSessionsByUserId(user);
      await lists(world, user);
      ok((await read()).every((session) => session === null));
    },
  ],
];
