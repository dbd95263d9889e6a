import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { sessionCookieOf } from './cookie-client';
import { expect, test } from './fixtures';
import { ageProof } from './session-proof';

const DOCS = 'docs/api.md';
const DOCUMENTED_ORIGIN = 'http://localhost:8788';

const problem = v.strictObject({
  type: v.string(),
  title: v.string(),
  status: v.number(),
  detail: v.pipe(v.string(), v.minLength(10)),
});
const textOrNull = v.nullable(v.string());
const list = v.strictObject({
  sessions: v.array(
    v.strictObject({
      id: v.string(),
      current: v.boolean(),
      name: textOrNull,
      device: v.strictObject({ browser: textOrNull, system: textOrNull, kind: v.string() }),
      place: v.strictObject({ country: textOrNull, city: textOrNull }),
      signedInAt: v.number(),
      lastActiveAt: v.number(),
      endsAt: v.number(),
      moved: v.array(v.unknown()),
      bound: v.boolean(),
    }),
  ),
});

async function sessionsIn(response: Response) {
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  return v.parse(list, await response.json()).sessions;
}

async function expectProblem(response: Response, status: number, title: string): Promise<void> {
  expect(response.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(v.parse(problem, await response.json())).toMatchObject({ status, title });
}

/** An account with two sessions. `own` is the cookie of the caller's session, `other` that of the second one. */
const testWithAccount = test.extend<{ account: { own: string; other: string } }>({
  account: async ({ client, user }, use) => {
    const own = sessionCookieOf(await client.post('/signup', user)) ?? '';
    await use({ own, other: await client.signIn(user) });
  },
});

testWithAccount(
  'GET /api/sessions lists every live session, the caller’s first',
  async ({ account, client }) => {
    const sessions = await sessionsIn(await client.get('/api/sessions', account.own));
    expect(sessions.map(({ current }) => current)).toEqual([true, false]);
    const text = JSON.stringify(sessions);
    for (const cookie of [account.own, account.other]) expect(text).not.toContain(cookie.split('.')[1]);
    expect(new Set(sessions.map(({ id }) => id.split('.')[0]))).toEqual(new Set([account.own.split('.')[0]]));
  },
);

testWithAccount('DELETE of a session ends it and no other', async ({ account, client }) => {
  const [, other] = await sessionsIn(await client.get('/api/sessions', account.own));
  const response = await client.delete(`/api/sessions/${other?.id}`, account.own);
  expect(response.status).toBe(204);
  expect(await response.text()).toBe('');
  await expectProblem(await client.get('/api/sessions', account.other), 401, 'Not signed in');
  expect(await sessionsIn(await client.get('/api/sessions', account.own))).toHaveLength(1);
});

testWithAccount('DELETE of one’s own session is a sign-out', async ({ account, client }) => {
  const [own] = await sessionsIn(await client.get('/api/sessions', account.own));
  const response = await client.delete(`/api/sessions/${own?.id}`, account.own);
  expect(response.status).toBe(204);
  expect(response.headers.getSetCookie().some((cookie) => /^pages-session=;/.test(cookie))).toBe(true);
  expect(response.headers.get('clear-site-data')).not.toBeNull();
  await expectProblem(await client.get('/api/sessions', account.own), 401, 'Not signed in');
  expect(await sessionsIn(await client.get('/api/sessions', account.other))).toHaveLength(1);
});

testWithAccount(
  'DELETE of all others keeps the caller’s session, under a new cookie',
  async ({ account, client }) => {
    const response = await client.delete('/api/sessions', account.own);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ended: 1 });
    const renewed = sessionCookieOf(response) ?? '';
    expect(renewed).not.toBe(account.own);
    for (const dead of [account.own, account.other]) {
      await expectProblem(await client.get('/api/sessions', dead), 401, 'Not signed in');
    }
    expect(await sessionsIn(await client.get('/api/sessions', renewed))).toHaveLength(1);
  },
);

testWithAccount(
  'an unknown session and another user’s get the same 404',
  async ({ account, client, newUser }) => {
    const stranger = sessionCookieOf(await client.post('/signup', newUser())) ?? '';
    const [theirs] = await sessionsIn(await client.get('/api/sessions', stranger));
    const unknown = `${account.own.split('.')[0]}.${'A'.repeat(43)}`;
    const answers = await Promise.all(
      [theirs?.id ?? '', unknown, 'x'].map(async (id) => {
        const response = await client.delete(`/api/sessions/${id}`, account.own);
        return { type: response.headers.get('content-type'), body: await response.text() };
      }),
    );
    expect(v.parse(problem, JSON.parse(answers[0]?.body ?? ''))).toMatchObject({ status: 404 });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(await sessionsIn(await client.get('/api/sessions', stranger))).toHaveLength(1);
  },
);

for (const origin of [undefined, 'null', 'https://evil.example', 'http://localhost:1']) {
  testWithAccount(
    `a DELETE with the origin ${origin} is refused and ends nothing`,
    async ({ account, baseURL, client }) => {
      const [, other] = await sessionsIn(await client.get('/api/sessions', account.own));
      for (const path of ['/api/sessions', `/api/sessions/${other?.id}`]) {
        const response = await fetch(new URL(path, baseURL), {
          method: 'DELETE',
          headers: { cookie: `pages-session=${account.own}`, ...(origin !== undefined && { origin }) },
        });
        await expectProblem(response, 403, 'Cross-origin request');
      }
      expect(await sessionsIn(await client.get('/api/sessions', account.own))).toHaveLength(2);
    },
  );
}

testWithAccount(
  'with an old proof of the password, the API lists sessions and signs out, but ends no other session',
  async ({ account, client, storage }) => {
    const [own, other] = await sessionsIn(await client.get('/api/sessions', account.own));
    await ageProof(storage, own?.id.split('.')[0] ?? '', own?.id ?? '');

    await expectProblem(await client.delete('/api/sessions', account.own), 403, 'Password needed');
    await expectProblem(
      await client.delete(`/api/sessions/${other?.id}`, account.own),
      403,
      'Password needed',
    );
    expect(await sessionsIn(await client.get('/api/sessions', account.own))).toHaveLength(2);
    expect((await client.delete(`/api/sessions/${own?.id}`, account.own)).status).toBe(204);
  },
);

test('a method that an address does not support gets a problem that lists the supported ones', async ({
  baseURL,
}) => {
  const own = { origin: baseURL ?? '' };
  for (const [path, allowed, inWords] of [
    ['/api/sessions', 'GET, HEAD, DELETE', 'GET, HEAD and DELETE'],
    ['/api/sessions/x', 'DELETE', 'DELETE'],
  ] as const) {
    const response = await fetch(`${baseURL}${path}`, { method: 'PUT', headers: own });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe(allowed);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({
      status: 405,
      title: 'Method not allowed',
      detail: `This address takes ${inWords}.`,
    });
  }
});

test('without a session the API reveals nothing', async ({ baseURL, client }) => {
  await expectProblem(await fetch(new URL('/api/sessions', baseURL)), 401, 'Not signed in');
  for (const cookie of ['', 'x', `${'a'.repeat(15)}.${'A'.repeat(43)}`]) {
    await expectProblem(await client.get('/api/sessions', cookie), 401, 'Not signed in');
    await expectProblem(await client.delete('/api/sessions', cookie), 401, 'Not signed in');
  }
});

testWithAccount(
  'the curl lines of docs/api.md do what they say',
  async ({ account, baseURL, client, user }) => {
    const lines = readFileSync(DOCS, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('curl '));
    expect(lines).toHaveLength(6);
    const [, other] = await sessionsIn(await client.get('/api/sessions', account.own));
    const curl = new Curl();
    for (const line of lines) {
      const [command = '', status] = line.split(' # ');
      const asked = command
        .replaceAll(DOCUMENTED_ORIGIN, baseURL ?? '')
        .replace('username=ada', `username=${user.username}`)
        .replace('password=correct horse battery', `password=${user.password}`)
        .replace('SESSION_ID', other?.id ?? '');
      expect((await curl.run(asked)).status, line).toBe(Number(status));
    }
  },
);

/** The curl options that the documentation uses, on top of `fetch`. Throws on an option that it does not know. */
class Curl {
  private readonly jar = new Map<string, string>();

  async run(command: string): Promise<Response> {
    const [, ...words] = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(
      ([, quoted, plain]) => quoted ?? plain ?? '',
    );
    const headers = new Headers();
    const body = new URLSearchParams();
    let [method, url, sendsJar, keepsJar] = ['', '', false, false];
    for (let word = words.shift(); word !== undefined; word = words.shift()) {
      if (!word.startsWith('-')) {
        url = word;
        continue;
      }
      const value = words.shift() ?? '';
      if (word === '-X') method = value;
      else if (word === '-b') sendsJar = true;
      else if (word === '-c') keepsJar = true;
      else if (word === '-H') headers.append(value.split(': ')[0] ?? '', value.split(': ')[1] ?? '');
      else if (word === '--data-urlencode')
        body.append(value.split('=')[0] ?? '', value.slice(value.indexOf('=') + 1));
      else throw new Error(`docs/api.md uses curl's ${word}: teach the test.`);
    }
    if (sendsJar) headers.set('cookie', [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const posts = body.size > 0;
    const response = await fetch(url, {
      method: method || (posts ? 'POST' : 'GET'),
      headers,
      redirect: 'manual',
      ...(posts && { body }),
    });
    for (const cookie of keepsJar ? response.headers.getSetCookie() : []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.jar.set(name, value);
    }
    return response;
  }
}
