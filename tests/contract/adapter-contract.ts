import { LuciaError, type SessionAdapter, type SessionSchema } from 'lucia';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { cloudflareKvBinding, type SessionKV, type SessionLayout } from '$lib/server/kv-adapter';
import { RecordingKV } from './recording-kv';
import { HOUR_MILLISECONDS, idsOf, newUserId, sessionOf } from './session-fixture';

/** A namespace to run the contract on. It may hold other records: every test has users of its own. */
export type ContractKV = {
  kv: SessionKV;
  /** Undoes what opening it took. */
  close?: () => Promise<void>;
};

export type ContractSetup = {
  layout: SessionLayout;
  /** Called once for the suite. The KV has to answer with what was last written. */
  openKv: () => ContractKV | Promise<ContractKV>;
};

/**
 * What every layout on every KV has to do. It writes only through the adapter: a suite that seeds storage behind the
 * adapter's back passes an adapter whose own listing never works.
 */
export function describeAdapterContract(name: string, { layout, openKv }: ContractSetup): void {
  describe(`session adapter, ${layout} layout, on ${name}`, () => {
    let opened: ContractKV;
    let kv: RecordingKV;
    let adapter: SessionAdapter;
    let user: string;

    beforeAll(async () => {
      opened = await openKv();
    });
    beforeEach(() => {
      kv = new RecordingKV(opened.kv);
      adapter = cloudflareKvBinding(kv, undefined, { layout })(LuciaError);
      user = newUserId();
    });
    afterEach(() => {
      vi.useRealTimers();
    });
    afterAll(() => opened.close?.());

    /** Sets sessions one after the other. */
    const setAll = async (...sessions: SessionSchema[]) => {
      for (const session of sessions) await adapter.setSession(session);
      return sessions;
    };
    const several = (count: number, userId = user) => Array.from({ length: count }, () => sessionOf(userId));
    const listedIds = async (userId = user) => idsOf(await adapter.getSessionsByUserId(userId));
    const moveClock = (milliseconds: number) => {
      const now = Date.now();
      vi.useFakeTimers({ toFake: ['Date'], now: now + milliseconds });
    };

    describe('getSession', () => {
      test('gives back what setSession was given', async () => {
        const session = sessionOf(user);
        await adapter.setSession(session);
        expect(await adapter.getSession(session.id)).toEqual(session);
      });

      test('gives null for an id that was never set', async () => {
        await adapter.setSession(sessionOf(user));
        expect(await adapter.getSession(sessionOf(user).id)).toBeNull();
        expect(await adapter.getSession('*')).toBeNull();
      });

      test('does not give a session to a part of its id, or to more than its id', async () => {
        const { id } = sessionOf(user);
        await adapter.setSession(sessionOf(user, { id }));
        for (const near of [id.slice(0, -1), `${id}x`, id.toUpperCase(), `${id} `, id.slice(1), user]) {
          expect(await adapter.getSession(near)).toBeNull();
        }
      });
    });

    describe('getSessionsByUserId', () => {
      test('gives every session of the user as it was set', async () => {
        const sessions = await setAll(...several(3));
        const listed = await adapter.getSessionsByUserId(user);
        expect(listed).toHaveLength(3);
        expect(listed).toEqual(expect.arrayContaining(sessions));
      });

      test('gives an empty array for a user without sessions', async () => {
        expect(await adapter.getSessionsByUserId(user)).toEqual([]);
        expect(await adapter.getSessionsByUserId('*')).toEqual([]);
      });

      test('keeps apart users whose ids begin alike', async () => {
        const ids = [user, `${user}.b`, `${user}:b`, `${user}b`, `${user}.b.c`, user.slice(0, -1)];
        const sessions = await setAll(...ids.map((id) => sessionOf(id)));
        for (const session of sessions) expect(await listedIds(session.user_id)).toEqual([session.id]);
        await adapter.deleteSessionsByUserId(user);
        const left = await Promise.all(ids.map((id) => listedIds(id)));
        expect(left).toEqual([[], ...sessions.slice(1).map((session) => [session.id])]);
      });

      test('gives more sessions than one bulk read holds, each once', async () => {
        const sessions = await setAll(...several(101));
        expect(await listedIds()).toEqual(idsOf(sessions));
      });

      test('leaves out a session that ended, also while KV still has its record', async () => {
        const [short, long] = await setAll(
          sessionOf(user, { idle_expires: Date.now() + HOUR_MILLISECONDS }),
          sessionOf(user),
        );
        expect(await listedIds()).toEqual(idsOf([short!, long!]));
        moveClock(2 * HOUR_MILLISECONDS);
        expect(await listedIds()).toEqual([long!.id]);
      });
    });

    describe('setSession', () => {
      test('the same id twice is one session, as set last', async () => {
        const session = sessionOf(user);
        const again = { ...session, epoch: 7 };
        await setAll(session, again);
        expect(await adapter.getSession(session.id)).toEqual(again);
        expect(await adapter.getSessionsByUserId(user)).toEqual([again]);
      });

      test('takes ids of any characters', async () => {
        for (const odd of ['a/../b', 'a%2Fb', 'a b', '\n\t', '?x=1&y#z', '*', '__proto__', 'a:b']) {
          const owner = `${user}/${odd}`;
          const session = sessionOf(owner, { id: `${owner}.${odd.replaceAll('.', '')}` });
          await adapter.setSession(session);
          expect(await adapter.getSession(session.id)).toEqual(session);
          expect(await adapter.getSessionsByUserId(owner)).toEqual([session]);
        }
      });

      test('takes ids and attributes outside ASCII', async () => {
        const owner = `${user}ä漢🎉`;
        const session = sessionOf(owner, { username: 'Zoë "漢字" 🎉 \\ \n \u0000' });
        await adapter.setSession(session);
        expect(await adapter.getSession(session.id)).toEqual(session);
        expect(await adapter.getSessionsByUserId(owner)).toEqual([session]);
      });

      test.each([
        ['an empty session id', { id: '' }],
        ['an id past the 512 bytes of a KV key', { id: `u.${'x'.repeat(512)}`, user_id: 'u' }],
        ['an id past 512 bytes, though not 512 characters', { id: `u.${'ä'.repeat(260)}`, user_id: 'u' }],
        ['an id without a form in UTF-8', { id: 'u.\ud800', user_id: 'u' }],
        ['an empty user id', { user_id: '', id: '.x' }],
      ])('refuses %s, and says what to do', async (_, changes) => {
        await expect(adapter.setSession(sessionOf(user, changes))).rejects.toThrow(/^\[kv-adapter\] .+: /);
        expect(kv.operations).toEqual([]);
      });

      test.each(['active_expires', 'idle_expires'])(
        'refuses a session whose %s is no number',
        async (time) => {
          const session = sessionOf(user, { [time]: Number.NaN });
          await expect(adapter.setSession(session)).rejects.toThrow(/^\[kv-adapter\] .+: /);
          expect(kv.operations).toEqual([]);
        },
      );

      test('takes the longest id that a KV key holds', async () => {
        const session = sessionOf(user);
        const id = session.id.padEnd(512 - 'session:'.length, 'x');
        await adapter.setSession({ ...session, id });
        expect(await listedIds()).toEqual([id]);
      });

      if (layout === 'owner') {
        test('loses none of twenty sign-ins at the same moment', async () => {
          const sessions = several(20);
          await Promise.all(sessions.map((session) => adapter.setSession(session)));
          expect(await listedIds()).toEqual(idsOf(sessions));
        });
      }
    });

    describe('updateSession', () => {
      test('changes what it is given and keeps the rest, in the record and in the list', async () => {
        const [session, other] = await setAll(...several(2));
        const renewed = {
          active_expires: session!.active_expires + 1,
          idle_expires: session!.idle_expires + HOUR_MILLISECONDS,
        };
        await adapter.updateSession(session!.id, renewed);
        const expected = { ...session!, ...renewed };
        expect(await adapter.getSession(session!.id)).toEqual(expected);
        const listed = await adapter.getSessionsByUserId(user);
        expect(listed).toHaveLength(2);
        expect(listed).toEqual(expect.arrayContaining([expected, other]));
      });

      test('of a session that is gone rejects as Lucia expects it, and makes no session', async () => {
        const [session] = await setAll(sessionOf(user));
        await adapter.deleteSession(session!.id);
        const update = adapter.updateSession(session!.id, { epoch: 1 });
        await expect(update).rejects.toEqual(new LuciaError('AUTH_INVALID_SESSION_ID'));
        await expect(update).rejects.toBeInstanceOf(LuciaError);
        expect(await adapter.getSession(session!.id)).toBeNull();
        expect(await listedIds()).toEqual([]);
      });

      test('cannot move a session to another id or user', async () => {
        const [session] = await setAll(sessionOf(user));
        const thief = newUserId();
        await adapter.updateSession(session!.id, { id: `${thief}.x`, user_id: thief, epoch: 1 });
        expect(await adapter.getSession(session!.id)).toEqual({ ...session!, epoch: 1 });
        expect(await adapter.getSession(`${thief}.x`)).toBeNull();
        expect(await listedIds(thief)).toEqual([]);
        expect(await listedIds()).toEqual([session!.id]);
      });

      test('refuses what would make the session unreadable, and keeps it', async () => {
        const [session] = await setAll(sessionOf(user));
        const update = adapter.updateSession(session!.id, { idle_expires: Number.NaN });
        await expect(update).rejects.toThrow(/^\[kv-adapter\] .+: /);
        expect(await adapter.getSession(session!.id)).toEqual(session);
      });
    });

    describe('deleteSession', () => {
      test('deletes that session and keeps the others', async () => {
        const [first, second, third] = await setAll(...several(3));
        await adapter.deleteSession(second!.id);
        expect(await adapter.getSession(second!.id)).toBeNull();
        expect(await adapter.getSession(first!.id)).toEqual(first);
        expect(await listedIds()).toEqual(idsOf([first!, third!]));
      });

      test('of a session that is not there does nothing', async () => {
        const [session] = await setAll(sessionOf(user));
        await adapter.deleteSession(sessionOf(user).id);
        await adapter.deleteSession('*');
        expect(await listedIds()).toEqual([session!.id]);
      });

      test('of the last one leaves nothing to list', async () => {
        const [session] = await setAll(sessionOf(user));
        await adapter.deleteSession(session!.id);
        await adapter.deleteSession(session!.id);
        expect(await adapter.getSessionsByUserId(user)).toEqual([]);
      });
    });

    describe('deleteSessionsByUserId', () => {
      test("deletes all of the user's sessions and no one else's", async () => {
        const sessions = await setAll(...several(8));
        const [foreign] = await setAll(sessionOf(newUserId()));
        await adapter.deleteSessionsByUserId(user);
        expect(await listedIds()).toEqual([]);
        for (const { id } of sessions) expect(await adapter.getSession(id)).toBeNull();
        expect(await adapter.getSession(foreign!.id)).toEqual(foreign);
        expect(await listedIds(foreign!.user_id)).toEqual([foreign!.id]);
      });

      test('of a user without sessions does nothing', async () => {
        await expect(adapter.deleteSessionsByUserId(user)).resolves.toBeUndefined();
      });

      test('deletes at most six at once', async () => {
        await setAll(...several(14));
        kv.reset();
        await adapter.deleteSessionsByUserId(user);
        expect(kv.counts().delete).toBeGreaterThanOrEqual(14);
        expect(kv.peak).toBe(6);
      });

      test('goes on when one delete fails, and then throws that failure', async () => {
        const sessions = await setAll(...several(8));
        const error = new Error('KV DELETE failed: 500 Internal Server Error');
        kv.failAt(1, error);
        await expect(adapter.deleteSessionsByUserId(user)).rejects.toBe(error);
        const left = await Promise.all(sessions.map(({ id }) => adapter.getSession(id)));
        expect(left.filter((session) => session !== null)).toHaveLength(1);
        await adapter.deleteSessionsByUserId(user);
        expect(await listedIds()).toEqual([]);
        const none = await Promise.all(sessions.map(({ id }) => adapter.getSession(id)));
        expect(none.every((session) => session === null)).toBe(true);
      });
    });

    describe('ids that no KV key can hold', () => {
      const unusable = ['', 'x'.repeat(600), `u.${'x'.repeat(8192)}`, 'u.\ud800', 'ä'.repeat(300)];

      test('read as nothing and delete nothing, without asking KV', async () => {
        for (const id of unusable) {
          expect(await adapter.getSession(id)).toBeNull();
          expect(await adapter.getSessionsByUserId(id)).toEqual([]);
          await adapter.deleteSession(id);
          await adapter.deleteSessionsByUserId(id);
          const update = adapter.updateSession(id, { epoch: 1 });
          await expect(update).rejects.toEqual(new LuciaError('AUTH_INVALID_SESSION_ID'));
        }
        expect(kv.operations).toEqual([]);
      });
    });

    describe('expiration', () => {
      const seconds = (milliseconds: number) => Math.ceil(milliseconds / 1000);

      test('every write has an absolute one in whole seconds, from idle_expires', async () => {
        const session = sessionOf(user, { idle_expires: Date.now() + 30 * 24 * HOUR_MILLISECONDS + 1 });
        await adapter.setSession(session);
        const later = session.idle_expires + HOUR_MILLISECONDS;
        await adapter.updateSession(session.id, { idle_expires: later });
        const record = kv.puts().filter((put) => put.key === `session:${session.id}`);
        expect(record.map((put) => put.options.expiration)).toEqual([
          seconds(session.idle_expires),
          seconds(later),
        ]);
        for (const put of kv.puts()) {
          expect(put.options).not.toHaveProperty('expirationTtl');
          expect([seconds(session.idle_expires), seconds(later)]).toContain(put.options.expiration);
        }
      });

      test.each([
        ['ends in a second', 1_000],
        ['ends in 59 seconds', 59_000],
        ['has ended', -HOUR_MILLISECONDS],
      ])(
        'a session that %s is taken, and stays for at least the minute that KV asks for',
        async (_, left) => {
          const session = sessionOf(user, { idle_expires: Date.now() + left });
          await adapter.setSession(session);
          const after = Date.now() / 1000;
          expect(kv.puts().length).toBeGreaterThanOrEqual(1);
          for (const { options } of kv.puts()) {
            expect(Number.isInteger(options.expiration)).toBe(true);
            expect(options.expiration).toBeGreaterThanOrEqual(after + 60);
            expect(options.expiration).toBeLessThan(after + 65);
          }
          expect(await listedIds()).toEqual(left > 0 ? [session.id] : []);
        },
      );

      test('a session that outlives the 32-bit integer KV takes is taken', async () => {
        const session = sessionOf(user, { idle_expires: Date.UTC(2040, 0) });
        await adapter.setSession(session);
        expect(await adapter.getSessionsByUserId(user)).toEqual([session]);
      });
    });

    describe('when KV fails', () => {
      type Call = (session: SessionSchema) => Promise<unknown>;
      const calls: [string, Call][] = [
        ['getSession', ({ id }) => adapter.getSession(id)],
        ['getSessionsByUserId', ({ user_id }) => adapter.getSessionsByUserId(user_id)],
        ['setSession', ({ user_id }) => adapter.setSession(sessionOf(user_id))],
        ['updateSession', ({ id }) => adapter.updateSession(id, { epoch: 1 })],
        ['deleteSession', ({ id }) => adapter.deleteSession(id)],
        ['deleteSessionsByUserId', ({ user_id }) => adapter.deleteSessionsByUserId(user_id)],
      ];

      test.each(calls)('%s rejects with the very error, whichever operation failed', async (_, call) => {
        const prepare = async () => {
          const [session] = await setAll(...several(3, newUserId()));
          kv.reset();
          return session!;
        };
        await call(await prepare());
        const operations = kv.operations.length;
        expect(operations).toBeGreaterThanOrEqual(1);
        for (let number = 0; number < operations; number += 1) {
          const session = await prepare();
          const error = new Error(`KV failed: 500, operation ${number}`);
          kv.failAt(number, error);
          await expect(call(session)).rejects.toBe(error);
        }
      });

      test('a sign-in that failed half-way leaves no session that the list does not reach', async () => {
        await adapter.setSession(sessionOf(user));
        const operations = kv.operations.length;
        for (let number = 0; number < operations; number += 1) {
          const session = sessionOf(user);
          kv.failAt(number, new Error('KV failed: 500'));
          await expect(adapter.setSession(session)).rejects.toThrow('KV failed: 500');
          const reached = (await listedIds()).includes(session.id);
          expect(reached || (await adapter.getSession(session.id)) === null).toBe(true);
        }
      });
    });
  });
}
