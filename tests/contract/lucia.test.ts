import { env } from 'cloudflare:workers';
import { LuciaError, lucia, type UserAdapter, type UserSchema } from 'lucia';
import { web } from 'lucia/middleware';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { cloudflareKvBinding } from '$lib/server/kv-adapter';
import { HOUR_MILLISECONDS, newUserId, sessionOf } from '$lib/server/kv-adapter/contract/fixture';

/** Users in memory. These tests only need them to exist. */
function memoryUsers(): UserAdapter {
  const users = new Map<string, UserSchema>();
  const unused = () => Promise.reject(new Error('these tests make no keys'));
  return {
    getUser: async (userId) => users.get(userId) ?? null,
    setUser: async (user) => void users.set(user.id, user),
    updateUser: unused,
    deleteUser: async (userId) => void users.delete(userId),
    getKey: unused,
    getKeysByUserId: unused,
    setKey: unused,
    updateKey: unused,
    deleteKey: unused,
    deleteKeysByUserId: async () => {},
  };
}

describe.each(['index', 'owner'] as const)('Lucia on the %s layout', (layout) => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const start = async () => {
    const users = memoryUsers();
    const sessions = cloudflareKvBinding(env.SESSIONS, undefined, { layout });
    const auth = lucia({
      adapter: (Errors) => ({ ...users, ...sessions(Errors) }),
      env: 'DEV',
      middleware: web(),
      csrfProtection: false,
      sessionExpiresIn: { activePeriod: HOUR_MILLISECONDS, idlePeriod: 24 * HOUR_MILLISECONDS },
    });
    const userId = newUserId();
    await auth.createUser({ userId, key: null, attributes: { username: 'ada' } });
    const signIn = () => {
      const { id: sessionId, created_at, epoch, username, device, place } = sessionOf(userId);
      const attributes = { created_at, proved_at: created_at, epoch, username, device, place };
      return auth.createSession({ userId, sessionId, attributes });
    };
    const moveClock = (milliseconds: number) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + milliseconds });
    };
    const requestWith = (sessionId: string) =>
      auth.handleRequest(
        new Request('http://localhost/', { headers: { Cookie: `auth_session=${sessionId}` } }),
      );
    return { auth, userId, signIn, moveClock, requestWith };
  };

  test('Lucia signs in on two devices, lists both, and revokes one', async () => {
    const { auth, userId, signIn, requestWith } = await start();
    const [laptop, phone] = [await signIn(), await signIn()];
    const listed = await auth.getAllUserSessions(userId);
    expect(listed.map(({ sessionId }) => sessionId).sort()).toEqual(
      [laptop.sessionId, phone.sessionId].sort(),
    );
    await auth.invalidateSession(phone.sessionId);
    expect(await requestWith(phone.sessionId).validate()).toBeNull();
    expect((await requestWith(laptop.sessionId).validate())?.sessionId).toBe(laptop.sessionId);
  });

  test('Lucia renews an idle session, and signs out an ended one', async () => {
    const { signIn, moveClock, requestWith } = await start();
    const { sessionId } = await signIn();
    moveClock(2 * HOUR_MILLISECONDS);
    expect(await requestWith(sessionId).validate()).toMatchObject({ state: 'idle', fresh: true });
    expect(await requestWith(sessionId).validate()).toMatchObject({ state: 'active', fresh: false });
    moveClock(26 * HOUR_MILLISECONDS);
    expect(await requestWith(sessionId).validate()).toBeNull();
  });

  test('Lucia lists no ended session, and has no dead sessions to delete', async () => {
    const { auth, userId, signIn, moveClock } = await start();
    await signIn();
    moveClock(26 * HOUR_MILLISECONDS);
    const { sessionId } = await signIn();
    expect((await auth.getAllUserSessions(userId)).map((session) => session.sessionId)).toEqual([sessionId]);
    await auth.deleteDeadUserSessions(userId);
    expect(await auth.getAllUserSessions(userId)).toHaveLength(1);
  });

  test('updating the attributes of a revoked session reports that it is gone', async () => {
    const { auth, signIn } = await start();
    const { sessionId } = await signIn();
    await auth.invalidateSession(sessionId);
    const update = auth.updateSessionAttributes(sessionId, { epoch: 1 });
    await expect(update).rejects.toEqual(new LuciaError('AUTH_INVALID_SESSION_ID'));
  });

  test('deleting a user deletes every session of that user', async () => {
    const { auth, userId, signIn, requestWith } = await start();
    const [laptop, phone] = [await signIn(), await signIn()];
    await auth.deleteUser(userId);
    expect(await requestWith(laptop.sessionId).validate()).toBeNull();
    expect(await requestWith(phone.sessionId).validate()).toBeNull();
  });
});
