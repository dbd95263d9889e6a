/**
 * A request that is accepted before its session ends and sends its body afterwards. The headers are sent, the session is ended elsewhere,
 * then the body follows. The request must change nothing, show nothing and reveal nothing about the password.
 */
import type { CookieClient } from './cookie-client';
import { SESSION_COOKIE } from './cookie-client';
import type { User } from './device';
import { expect, test } from './fixtures';
import { hold, type HeldAnswer, type HeldRequest } from './held-request';

const NEW_PASSWORD = 'another password, long enough';

type Cookies = { keeper: string; ended: string };
type Ending = {
  name: string;
  /** Returns the keeper's cookie afterwards, or `null` if the keeper has no session any more. */
  end: (client: CookieClient, cookies: Cookies, user: User) => Promise<string | null>;
};

const ENDINGS: Ending[] = [
  {
    name: 'ended from another device',
    end: async (client, { keeper, ended }) => {
      await client.post('/sessions?/revoke', { sessionId: await idOf(client, ended) }, keeper);
      return keeper;
    },
  },
  {
    name: 'ended with all others',
    end: async (client, { keeper }) => client.cookieAfter('/sessions?/revokeOthers', {}, keeper),
  },
  {
    name: 'ended by "sign out everywhere"',
    end: async (client, { keeper }) => {
      await client.post('/sessions?/revokeAll', {}, keeper);
      return null;
    },
  },
  {
    name: 'signed out',
    end: async (client, { keeper, ended }) => {
      await client.post('/logout', {}, ended);
      return keeper;
    },
  },
  {
    name: 'ended by a password change',
    end: async (client, { keeper }, { password }) =>
      client.cookieAfter(
        '/account?/changePassword',
        { currentPassword: password, newPassword: NEW_PASSWORD },
        keeper,
      ),
  },
  {
    name: 'ended with the account',
    end: async (client, { keeper }, { password }) => {
      await client.post('/account?/deleteAccount', { password }, keeper);
      return null;
    },
  },
];

for (const { name, end } of ENDINGS) {
  test(`a body that arrives after its session was ${name} does nothing and learns nothing`, async ({
    baseURL,
    client,
    user,
  }) => {
    const origin = new URL(baseURL ?? '').origin;
    const ended = await client.signUp(user);
    const keeper = await client.signIn(user);
    const keeperId = await idOf(client, keeper);
    const posts: [path: string, form: Record<string, string>][] = [
      ['/sessions?/revoke', { sessionId: keeperId }],
      ['/sessions?/rename', { sessionId: keeperId, name: 'taken over' }],
      // An empty body cannot arrive late.
      ['/sessions?/revokeOthers', { late: '' }],
      ['/sessions?/revokeAll', { late: '' }],
      ['/account?/changePassword', { currentPassword: 'a wrong guess', newPassword: NEW_PASSWORD }],
      ['/account?/changePassword', { currentPassword: user.password, newPassword: NEW_PASSWORD }],
      ['/account?/changePassword', { currentPassword: '', newPassword: '' }],
      ['/account?/deleteAccount', { password: 'a wrong guess' }],
      ['/account?/deleteAccount', { password: user.password }],
    ];
    const held: { label: string; enhanced: boolean; request: HeldRequest }[] = [];
    for (const enhanced of [false, true]) {
      for (const [path, form] of posts) {
        const request = hold({
          origin,
          path,
          form,
          enhanced,
          cookie: `${SESSION_COOKIE}=${ended}`,
        });
        held.push({
          label: `${path} ${JSON.stringify(form)}${enhanced ? ' enhanced' : ''}`,
          enhanced,
          request,
        });
      }
    }
    const api = ['/api/sessions', `/api/sessions/${keeperId}`].map((path) =>
      hold({ origin, method: 'DELETE', path, form: { late: '' }, cookie: `${SESSION_COOKIE}=${ended}` }),
    );
    // A round trip after the headers, so that they have arrived.
    expect((await client.get('/sessions', ended)).status).toBe(200);

    const kept = await end(client, { keeper, ended }, user);

    for (const { label, enhanced, request } of held) {
      expectRefusal(await request.finish(), enhanced, label, keeperId);
    }
    for (const request of api) expect((await request.finish()).status).toBe(401);
    if (kept === null) return;
    const page = await (await client.get('/sessions', kept)).text();
    expect(page).toContain(await idOf(client, kept));
    expect(page).not.toContain('taken over');
    expect(page.match(/data-session-id/g)).toHaveLength(1);
  });
}

async function idOf(client: CookieClient, cookie: string): Promise<string> {
  return (await client.sessionIds(cookie))[0] ?? '';
}

function expectRefusal({ status, location, body }: HeldAnswer, enhanced: boolean, label: string, id: string) {
  if (enhanced) {
    expect(JSON.parse(body), label).toMatchObject({ type: 'redirect', status: 303 });
    expect(JSON.parse(body), label).toHaveProperty(
      'location',
      expect.stringMatching(/^\/login\?redirectTo=/),
    );
  } else {
    expect(status, label).toBe(303);
    expect(location, label).toMatch(/^\/login\?redirectTo=/);
  }
  expect(body, label).not.toContain(id);
}
