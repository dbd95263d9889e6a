import type { Device, User } from './device';
import { expect, test } from './fixtures';

/**
 * What KV may do for a minute and more after a delete, made to last: the records of before are there again, as they
 * were. A session that has ended must stay ended all the same.
 */
type Ending = { name: string; end: (keeper: Device, ended: Device, user: User) => Promise<void> };

const NEW_PASSWORD = 'a new password, long enough';

const ENDINGS: Ending[] = [
  {
    name: 'revoked alone',
    end: async (keeper, ended) => keeper.endSession(await ended.sessionId()),
  },
  { name: 'revoked with all others', end: (keeper) => keeper.endOthers() },
  { name: 'ended by "sign out everywhere"', end: (keeper) => keeper.signOutEverywhere() },
  { name: 'signed out', end: (_, ended) => ended.signOut() },
  {
    name: 'ended by a password change',
    end: (keeper, _, user) => keeper.changePassword(user, NEW_PASSWORD),
  },
];

for (const { name, end } of ENDINGS) {
  test(`a session that was ${name} stays ended when its old KV record is back`, async ({
    client,
    newDevice,
    storage,
    user,
  }) => {
    const [keeper, ended] = [await newDevice(), await newDevice()];
    await keeper.startSignedUp(user);
    await ended.startSignedIn(user);
    await keeper.visit('/sessions');
    const cookie = await ended.sessionCookie();
    const record = `session:${await ended.sessionId()}`;
    const before = await storage.recordsOf(cookie.userId);
    expect(before.map(({ key }) => key)).toContain(record);

    await end(keeper, ended, user);

    // The delete is done after the answer; put back what is really gone.
    await expect
      .poll(async () => (await storage.recordsOf(cookie.userId)).map(({ key }) => key))
      .not.toContain(record);
    await storage.putBack(before);
    await ended.context.addCookies([cookie]);

    // The record is believed as far as it goes: a public page may still greet its owner.
    await ended.visit('/');
    await expect(ended.page.getByRole('banner')).toContainText(user.username);

    for (const path of ['/sessions', '/account']) {
      const response = await client.get(path, cookie.value);
      expect(response.status, path).toBe(303);
      expect(response.headers.get('location'), path).toBe(`/login?redirectTo=${encodeURIComponent(path)}`);
    }
    const sessionId = await otherSessionId(keeper, cookie.userId);
    const actions: [string, Record<string, string>][] = [
      ['/sessions?/revoke', { sessionId }],
      ['/sessions?/revokeOthers', {}],
      ['/sessions?/revokeAll', {}],
      ['/account?/changePassword', { currentPassword: user.password, newPassword: 'taken over by a thief' }],
      ['/account?/deleteAccount', { password: user.password }],
    ];
    for (const [action, form] of actions) {
      const response = await client.post(action, form, cookie.value);
      expect(response.status, action).toBe(303);
      expect(response.headers.get('location'), action).toMatch(/^\/login\?redirectTo=/);
    }
    expect((await client.get('/api/sessions', cookie.value)).status).toBe(401);
    expect((await client.delete('/api/sessions', cookie.value)).status).toBe(401);
    expect((await client.delete(`/api/sessions/${encodeURIComponent(sessionId)}`, cookie.value)).status).toBe(
      401,
    );

    // An account page once seen, the browser forgets the cookie, and then no page greets anyone.
    await ended.expectSignedOut('/sessions');
    expect(await ended.hasSessionCookie()).toBe(false);
    await ended.visit('/');
    await expect(ended.page.getByRole('banner')).not.toContainText(user.username);

    // None of the refused actions did anything: the other device is as it was, and is alone.
    if (await keeper.hasSessionCookie()) {
      await keeper.visit('/sessions');
    } else {
      await keeper.startSignedIn(user);
    }
    await expect(keeper.page).toHaveURL('/sessions');
    await expect(keeper.rows()).toHaveCount(1);
  });
}

/** The other device's session, or, when it has none any more, an id of the right form. */
async function otherSessionId(device: Device, userId: string): Promise<string> {
  if (!(await device.hasSessionCookie())) return `${userId}.${'A'.repeat(43)}`;
  await device.visit('/sessions');
  return device.sessionId();
}
