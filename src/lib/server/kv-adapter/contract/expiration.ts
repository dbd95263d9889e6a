import { deepEqual, equal, ok } from 'node:assert/strict';
import { HOUR_MILLISECONDS, sessionOf } from './fixture.js';
import { lists, setAll, type Check } from './world.js';

/** KV refuses a record that would expire sooner (developers.cloudflare.com/kv/api/write-key-value-pairs). */
const SHORTEST_EXPIRATION_SECONDS = 60;
/** What an adapter may add to that, for the time until KV gets the write. */
const SLACK_SECONDS = 5;

const seconds = (milliseconds: number) => Math.ceil(milliseconds / 1_000);

const soon: [what: string, milliseconds: number][] = [
  ['ends in a second', 1_000],
  ['ends in 59 seconds', 59_000],
  ['has ended', -HOUR_MILLISECONDS],
];

export const expiration: Check[] = [
  [
    'every write has an absolute expiration in whole seconds, from idle_expires',
    async (world) => {
      const { adapter, kv } = world;
      const [{ id, idle_expires }] = await setAll(
        world,
        sessionOf(world.user, { idle_expires: Date.now() + 30 * 24 * HOUR_MILLISECONDS + 1 }),
      );
      const later = idle_expires + HOUR_MILLISECONDS;
      await adapter.updateSession(id, { idle_expires: later });
      const ofRecord = kv.puts().filter((put) => put.key === world.keyOf(id));
      deepEqual(
        ofRecord.map((put) => put.options.expiration),
        [seconds(idle_expires), seconds(later)],
      );
      for (const { options } of kv.puts()) {
        ok(!('expirationTtl' in options));
        ok([seconds(idle_expires), seconds(later)].includes(options.expiration));
      }
    },
  ],
  ...soon.map(([what, milliseconds]): Check => [
    `a session that ${what} is taken, and stays for at least the minute that KV asks for`,
    async (world) => {
      const [session] = await setAll(
        world,
        sessionOf(world.user, { idle_expires: Date.now() + milliseconds }),
      );
      const least = Date.now() / 1_000 + SHORTEST_EXPIRATION_SECONDS;
      ok(world.kv.puts().length > 0);
      for (const { options } of world.kv.puts()) {
        equal(options.expiration, Math.trunc(options.expiration));
        ok(options.expiration >= least && options.expiration < least + SLACK_SECONDS);
      }
      await lists(world, world.user, ...(milliseconds > 0 ? [session] : []));
    },
  ]),
  [
    'a session that outlives the 32-bit integer KV takes is taken',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user, { idle_expires: Date.UTC(2040, 0) }));
      await lists(world, world.user, session);
    },
  ],
];
