import { sessionCookieOf, type CookieClient } from './cookie-client';
import type { User } from './device';
import { expect, test } from './fixtures';

/**
 * KV may serve old records for a minute or more after a delete. Here that lasts: the old records are put back unchanged. A session that has
 * ended must still stay ended. This needs no browser, because only the server's response to the old cookie matters.
 */
type Ending = {
  name: string;
  /** `keeper` and `ended` are the cookies of two devices; `endedId` is the session to end. */
  end: (client: CookieClient, devices: Devices, user: User) => Promise<Response>;
};
type Devices = { keeper: string; ended: string; endedId: string };

const NEW_PASSWORD = 'a new password, long enough';

const ENDINGS: Ending[] = [
  {
    name: 'revoked alone',
    end: (client, { keeper, endedId }) => client.post('/sessions?/revoke', { sessionId: endedId }, keeper),
  },
  {
    name: 'revoked with all others',
    end: (client, { keeper }) => client.post('/sessions?/revokeOthers', {}, keeper),
  },
  {
    name: 'ended by "sign out everywhere"',
    end: (client, { keeper }) => client.post('/sessions?/revokeAll', {}, keeper),
  },
  { name: 'signed out', end: (client, { ended }) => client.post('/logout', {}, ended) },
  {
    name: 'ended by a password change',
    end: (client, { keeper }, { password }) =>
      client.post(
        '/account?/changePassword',
        { currentPassword: password, newPassword: NEW_PASSWORD },
        keeper,
      ),
  },
];

for (const { name, end } of ENDINGS) {
  test(`a session that was ${name} stays ended when its old KV record is back`, async ({
    client,
    storage,
    user,
  }) => {
    const keeper = await client.signUp(user);
    const ended = await client.signIn(user);
    const [endedId = '', keeperId = ''] = await client.sessionIds(ended);
    const [userId = ''] = endedId.split('.');
    const record = `session:${endedId}`;
    const keys = async () => (await storage.recordsOf(userId)).map(({ key }) => key);
    const before = await storage.recordsOf(userId);
    expect(before.map(({ key }) => key)).toContain(record);

    const answer = await end(client, { keeper, ended, endedId }, user);
    expect([200, 303]).toContain(answer.status);

    // The delete runs after the response, so this waits until the records are gone and then puts them back.
    await expect.poll(keys).not.toContain(record);
    await storage.putBack(before);
    // No public page greets the owner either, because a page view without a confirmation asks the ledger.
    expect(await (await client.get('/', ended)).text()).not.toContain(user.username);
    const look = await client.get('/api/session', ended);
    expect(look.status).toBe(401);
    expect(await look.json()).toMatchObject({ ended: { type: expect.any(String) } });

    for (const path of ['/sessions', '/activity', '/account', '/account/data', '/kv']) {
      const response = await client.get(path, ended);
      expect(response.status, path).toBe(303);
      expect(response.headers.get('location'), path).toMatch(/^\/login\?redirectTo=/);
      // The browser loses the cookie with the first response, and from then on no page greets anyone.
      expect(response.headers.getSetCookie(), path).toContainEqual(expect.stringMatching(/^pages-session=;/));
    }
    const actions: [string, Record<string, string>][] = [
      ['/sessions?/revoke', { sessionId: keeperId }],
      ['/sessions?/rename', { sessionId: keeperId, name: 'a thief’s' }],
      ['/sessions?/revokeOthers', {}],
      ['/sessions?/revokeAll', {}],
      ['/account?/changePassword', { currentPassword: user.password, newPassword: 'taken over by a thief' }],
      ['/account?/deleteAccount', { password: user.password }],
    ];
    for (const [action, form] of actions) {
      const response = await client.post(action, form, ended);
      expect(response.status, action).toBe(303);
      expect(response.headers.get('location'), action).toMatch(/^\/login\?redirectTo=/);
    }
    const keeperPath = `/api/sessions/${encodeURIComponent(keeperId)}`;
    expect((await client.get('/api/sessions', ended)).status).toBe(401);
    expect((await client.delete('/api/sessions', ended)).status).toBe(401);
    expect((await client.delete(keeperPath, ended)).status).toBe(401);

    // None of the refused actions did anything: the other device's session is unchanged and is the only one.
    const signedIn = await stillSignedIn(client, sessionCookieOf(answer) ?? keeper, user);
    expect(await client.sessionIds(signedIn)).toHaveLength(1);
  });
}

/** Returns the keeper's cookie, or that of a new session if the keeper ended its own. */
async function stillSignedIn(client: CookieClient, cookie: string, user: User): Promise<string> {
  const { status } = await client.get('/sessions', cookie);
  return status === 200 ? cookie : client.signIn(user);
}
