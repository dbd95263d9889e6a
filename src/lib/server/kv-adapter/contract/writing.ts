import { deepEqual, equal, rejects } from 'node:assert/strict';
import { LuciaError, type SessionSchema } from 'lucia';
import { HOUR_MILLISECONDS, newUserId, sessionOf } from './fixture.js';
import { lists, setAll, several, type Check } from './world.js';

/** developers.cloudflare.com/kv/platform/limits */
const KV_KEY_MAX_BYTES = 512;

/** Lucia takes exactly this for "there is no such session any more", and signs the request out. */
export const INVALID_SESSION = (error: unknown): boolean =>
  error instanceof LuciaError && error.message === 'AUTH_INVALID_SESSION_ID';

const refused: [what: string, changes: Partial<SessionSchema>][] = [
  ['an empty session id', { id: '' }],
  ['an id past the 512 bytes of a KV key', { id: `u.${'x'.repeat(512)}`, user_id: 'u' }],
  ['an id past 512 bytes, though not 512 characters', { id: `u.${'ä'.repeat(260)}`, user_id: 'u' }],
  ['an id without a form in UTF-8', { id: 'u.\ud800', user_id: 'u' }],
  ['an empty user id', { user_id: '', id: '.x' }],
  ['a session whose active_expires is no number', { active_expires: Number.NaN }],
  ['a session whose idle_expires is no number', { idle_expires: Number.NaN }],
];

const atOnce: Check = [
  'setSession loses none of twenty sign-ins at the same moment',
  async (world) => {
    const sessions = several(world.user, 20);
    await Promise.all(sessions.map((session) => world.adapter.setSession(session)));
    await lists(world, world.user, ...sessions);
  },
];

export const writing = ({ takesSignInsAtOnce }: { takesSignInsAtOnce: boolean }): Check[] => [
  [
    'setSession with the same id twice makes one session, as set last',
    async (world) => {
      const session = sessionOf(world.user);
      const [, again] = await setAll(world, session, { ...session, epoch: 7 });
      deepEqual(await world.adapter.getSession(session.id), again);
      await lists(world, world.user, again);
    },
  ],
  [
    'setSession takes ids of any characters',
    async (world) => {
      for (const odd of ['a/../b', 'a%2Fb', 'a b', '\n\t', '?x=1&y#z', '*', '__proto__', 'a:b']) {
        const owner = `${world.user}/${odd}`;
        const [session] = await setAll(
          world,
          sessionOf(owner, { id: `${owner}.${odd.replaceAll('.', '')}` }),
        );
        deepEqual(await world.adapter.getSession(session.id), session);
        await lists(world, owner, session);
      }
    },
  ],
  [
    'setSession takes ids and attributes outside ASCII',
    async (world) => {
      const owner = `${world.user}ä漢🎉`;
      const [session] = await setAll(world, sessionOf(owner, { username: 'Zoë "漢字" 🎉 \\ \n \u0000' }));
      deepEqual(await world.adapter.getSession(session.id), session);
      await lists(world, owner, session);
    },
  ],
  ...refused.map(([what, changes]): Check => [
    `setSession refuses ${what}, and writes nothing`,
    async ({ adapter, kv, user }) => {
      await rejects(adapter.setSession(sessionOf(user, changes)));
      deepEqual(kv.operations, []);
    },
  ]),
  [
    'setSession takes the longest id that a KV key holds',
    async (world) => {
      const { id } = sessionOf(world.user);
      const prefixBytes = world.keyOf('').length;
      const [longest] = await setAll(
        world,
        sessionOf(world.user, { id: id.padEnd(KV_KEY_MAX_BYTES - prefixBytes, 'x') }),
      );
      await lists(world, world.user, longest);
    },
  ],
  ...(takesSignInsAtOnce ? [atOnce] : []),
  [
    'updateSession changes what it is given and keeps the rest, in the record and in the list',
    async (world) => {
      const [session, other] = await setAll(world, sessionOf(world.user), sessionOf(world.user));
      const renewed = {
        active_expires: session.active_expires + 1,
        idle_expires: session.idle_expires + HOUR_MILLISECONDS,
      };
      await world.adapter.updateSession(session.id, renewed);
      deepEqual(await world.adapter.getSession(session.id), { ...session, ...renewed });
      await lists(world, world.user, { ...session, ...renewed }, other);
    },
  ],
  [
    'updateSession of a session that is gone rejects as Lucia expects it, and makes no session',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user));
      await world.adapter.deleteSession(session.id);
      await rejects(world.adapter.updateSession(session.id, { epoch: 1 }), INVALID_SESSION);
      equal(await world.adapter.getSession(session.id), null);
      await lists(world, world.user);
    },
  ],
  [
    'updateSession of an id that no KV key can hold rejects as Lucia expects it, without asking KV',
    async ({ adapter, kv }) => {
      for (const id of ['', 'x'.repeat(600), 'u.\ud800', 'ä'.repeat(300)]) {
        await rejects(adapter.updateSession(id, { epoch: 1 }), INVALID_SESSION);
      }
      deepEqual(kv.operations, []);
    },
  ],
  [
    'updateSession cannot move a session to another id or user',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user));
      const thief = newUserId();
      await world.adapter.updateSession(session.id, { id: `${thief}.x`, user_id: thief, epoch: 1 });
      deepEqual(await world.adapter.getSession(session.id), { ...session, epoch: 1 });
      equal(await world.adapter.getSession(`${thief}.x`), null);
      await lists(world, thief);
      await lists(world, world.user, { ...session, epoch: 1 });
    },
  ],
  [
    'updateSession refuses what would make the session unreadable, and keeps it',
    async (world) => {
      const [session] = await setAll(world, sessionOf(world.user));
      await rejects(world.adapter.updateSession(session.id, { idle_expires: Number.NaN }));
      deepEqual(await world.adapter.getSession(session.id), session);
    },
  ],
];
