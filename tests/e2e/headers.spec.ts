import { appRoutes } from './app-routes';
import { expect, test } from './fixtures';
import { RawClient, type RawAnswer, type RawRequest } from './raw-request';
import { headerComplaints } from './security-headers';

const CONNECTIONS = 4;
const CLEARS = '"storage"';

/** Sends the requests as they are. Each is a GET of a path unless stated otherwise. */
async function answersTo(
  baseURL: string | undefined,
  requests: (Partial<RawRequest> & { path: string })[],
): Promise<{ said: string; answer: RawAnswer }[]> {
  const raw = new RawClient(new URL(baseURL ?? ''), CONNECTIONS);
  const answers = await Promise.all(
    requests.map(async (request) => {
      const { method = 'GET', headers = [], ...rest } = request;
      return { said: `${method} ${request.path}`, answer: await raw.send({ method, headers, ...rest }) };
    }),
  );
  raw.close();
  return answers;
}

test('every page and endpoint has the security headers, signed in or not', async ({
  baseURL,
  client,
  user,
}) => {
  const value = await client.signUp(user);
  const paths = appRoutes().flatMap(({ path, isPage }) => {
    const asked = path.replace(/\[[^\]]+\]/, 'x');
    return isPage ? [asked, `${asked === '/' ? '' : asked}/__data.json`] : [asked];
  });
  expect(paths.length).toBeGreaterThan(10);

  const signedIn: [string, string][] = [['cookie', `pages-session=${value}`]];
  const answers = await answersTo(baseURL, [
    ...paths.map((path) => ({ path })),
    ...paths.map((path) => ({ path, headers: signedIn })),
    ...paths.map((path) => ({ path, method: 'HEAD', headers: signedIn })),
  ]);
  for (const { said, answer } of answers) expect(headerComplaints(answer.headers), said).toEqual([]);
  // Among the responses were pages, data, redirects, and refusals of unsupported methods.
  const statuses = new Set(answers.map(({ answer }) => answer.status));
  for (const status of [200, 303, 401, 405]) expect(statuses).toContain(status);
  expect((await client.get('/sessions', value)).status).toBe(200);
});

test('errors and refusals have the security headers, too', async ({ baseURL }) => {
  const origin = baseURL ?? '';
  const form = { method: 'POST', body: 'username=&password=' };
  const urlencoded: [string, string] = ['content-type', 'application/x-www-form-urlencoded'];
  const own: [string, string] = ['origin', origin];
  const cases: [number, Partial<RawRequest> & { path: string }][] = [
    [404, { path: '/no-such-page' }],
    [404, { path: '/api/no-such-endpoint' }],
    [400, { path: '/%ff' }],
    [405, { path: '/login', method: 'PUT', headers: [own] }],
    [405, { path: '/healthz', method: 'POST', headers: [own] }],
    [400, { path: '/login', ...form, headers: [urlencoded, own] }],
    [404, { path: '/login?/nope', ...form, headers: [urlencoded, own] }],
    [404, { path: '/login?/constructor', ...form, headers: [urlencoded, own] }],
    [
      415,
      { path: '/login', method: 'POST', body: '{}', headers: [['content-type', 'application/json'], own] },
    ],
    [
      400,
      { path: '/login', method: 'POST', body: 'x', headers: [['content-type', 'multipart/form-data'], own] },
    ],
    [403, { path: '/login', ...form, headers: [urlencoded] }],
    [403, { path: '/login', ...form, headers: [urlencoded, ['origin', 'null']] }],
    [403, { path: '/login', ...form, headers: [urlencoded, ['origin', 'https://evil.example']] }],
    [403, { path: '/api/sessions', method: 'DELETE', headers: [] }],
    [401, { path: '/api/sessions', method: 'DELETE', headers: [own] }],
    [303, { path: '/theme', method: 'POST', body: 'theme=dark', headers: [urlencoded, own] }],
    [303, { path: '/logout', method: 'POST', body: '', headers: [urlencoded, own, ['accept', 'text/html']] }],
  ];
  const answers = await answersTo(
    baseURL,
    // An action responds with JSON unless a page is requested. The status is then inside the JSON.
    cases.map(([, { headers = [], ...request }]) => ({
      ...request,
      headers: [...headers.filter(([name]) => name !== 'accept'), ['accept', 'text/html']],
    })),
  );
  answers.forEach(({ said, answer }, n) => {
    expect(answer.status, `${said}, case ${n}`).toBe(cases[n]?.[0]);
    expect(headerComplaints(answer.headers), `${said}, case ${n}`).toEqual([]);
  });
});

test('what Pages serves without the worker has the security headers, and is cached as long as its name allows', async ({
  baseURL,
  request,
}) => {
  const page = await (await request.get('/')).text();
  const script = /"(?:\.?\/)?(_app\/immutable\/[^"]+\.js)"/.exec(page)?.[1];
  const cases: [path: string, status: number, kept: RegExp][] = [
    ['/favicon.svg', 200, /max-age=0/],
    ['/error.css', 200, /max-age=0/],
    [`/${script ?? ''}`, 200, /immutable/],
    ['/_app/version.json', 200, /no-cache/],
    ['/_app/immutable/no-such-file.js', 404, /no-store/],
  ];
  const answers = await answersTo(
    baseURL,
    cases.map(([path]) => ({ path })),
  );
  answers.forEach(({ said, answer }, n) => {
    const [, status, kept] = cases[n] ?? [];
    expect(answer.status, said).toBe(status);
    expect(headerComplaints({ ...answer.headers, 'cache-control': 'no-store' }), said).toEqual([]);
    expect(answer.headers['cache-control'], said).toMatch(kept ?? '');
  });
});

test('what Kit answers before any of our code has the security headers, too', async ({
  baseURL,
  client,
  user,
}) => {
  const headers: [string, string][] = [['cookie', `pages-session=${await client.signUp(user)}`]];
  const cases: [status: number, path: string][] = [
    [400, '/__route.js'],
    [400, '/sessions/__route.js'],
    [404, '/_app/no-such-file'],
    [404, '/_appendix'],
    [404, '/%5fapp/no-such-file'],
    [404, '/_app%2fenv.js'],
    [200, '/_app/env.js'],
  ];
  const requests = cases.flatMap(([, path]) => [
    { path, headers },
    { path, headers, method: 'HEAD' },
  ]);
  const answers = await answersTo(baseURL, requests);
  answers.forEach(({ said, answer }, n) => {
    expect(answer.status, said).toBe(cases[n >> 1]?.[0]);
    expect(headerComplaints(answer.headers), said).toEqual([]);
    expect(answer.headers['set-cookie'], said).toBeUndefined();
  });
});

test('over plain http from another machine, no page is shown and no password accepted', async ({
  baseURL,
  user,
}) => {
  const host: [string, string] = ['host', 'sessions.example'];
  const form = new URLSearchParams(user).toString();
  const post = { path: '/signup', method: 'POST', body: form };
  const own: [string, string][] = [
    ['origin', 'http://sessions.example'],
    ['content-type', 'application/x-www-form-urlencoded'],
  ];
  const answers = await answersTo(baseURL, [
    { path: '/', headers: [host] },
    { path: '/_app/env.js', method: 'HEAD', headers: [host] },
    { ...post, headers: [host, ...own, ['accept', 'text/html']] },
    { ...post, headers: [host, ...own] },
    // As behind a proxy that ends TLS.
    { path: '/', headers: [host, ['x-forwarded-proto', 'https']] },
    { path: '/favicon.svg', headers: [host] },
  ]);
  expect(answers.map(({ answer }) => answer.status)).toEqual([308, 308, 403, 403, 200, 200]);
  for (const { said, answer } of answers.slice(0, -1))
    expect(headerComplaints(answer.headers), said).toEqual([]);
  // Pages cannot distinguish the two, and browsers ignore the header over plain http.
  expect(answers.at(-1)?.answer.headers['strict-transport-security']).toMatch(/^max-age=31536000\b/);
});

test('the static error page is styled', async ({ newDevice }) => {
  const device = await newDevice({ refusals: [400] });
  const { page } = device;
  await device.visit('/');
  // No endpoint here can read this form, and an endpoint has no page of its own to say so.
  await page.evaluate(() => {
    document.body.innerHTML = '<form method="POST" action="/theme" enctype="text/plain"></form>';
    document.forms[0]?.submit();
  });
  await expect(page.getByRole('heading', { name: 'This page could not be made' })).toBeVisible();
  await expect(page.locator('main')).toHaveCSS('max-width', '544px');
});

test('an address that cannot be decoded gets a page that does not offer it again', async ({ baseURL }) => {
  const paths = ['/%E0%A4%A', '/sessions/%E0%A4%A'];
  const headers: [string, string][] = [['accept', 'text/html']];
  const asked = paths.map((path) => ({ path, headers }));
  for (const { said, answer } of await answersTo(baseURL, asked)) {
    expect(answer.status, said).toBe(400);
    expect(answer.body, said).toContain('<h1>This could not be read</h1>');
    expect(answer.body, said).not.toContain('Try again');
  }
});

test('a page’s scripts run with a nonce that is new each time', async ({ baseURL }) => {
  const answers = await answersTo(baseURL, [{ path: '/' }, { path: '/' }]);
  const nonces = answers.map(({ answer }) => {
    const nonce = /script-src[^;]*'nonce-([^']+)'/.exec(
      String(answer.headers['content-security-policy']),
    )?.[1];
    expect(answer.body).toContain(`<script nonce="${nonce}">`);
    return nonce;
  });
  expect(nonces[0]).not.toBe(nonces[1]);
});

test('an injected script does not run', async ({ newDevice }) => {
  const device = await newDevice();
  await device.visit('/');
  const ran = await device.page.evaluate(() => {
    const holder = document.createElement('div');
    holder.innerHTML = '<img src="data:," onerror="window.fuzzed = true">';
    document.body.appendChild(holder);
    const script = document.createElement('script');
    script.textContent = 'window.fuzzed = true';
    document.body.appendChild(script);
    return 'fuzzed' in window;
  });
  expect(ran).toBe(false);
  // The policy stopped it, and Chromium logged that.
  await expect.poll(() => device.complaints.length).toBeGreaterThan(0);
  for (const complaint of device.complaints.splice(0)) expect(complaint).toContain('Content Security Policy');
});

test('signing out clears the browser’s data for the site, and Back shows nothing private', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  await device.visit('/account');
  await device.page.evaluate(() => localStorage.setItem('kept', 'by a script'));
  const answer = device.page.waitForResponse((response) => response.url().endsWith('/logout'));
  await device.signOut();

  const { status, headers } = await (await answer).allHeaders().then(async (all) => ({
    status: (await answer).status(),
    headers: all,
  }));
  expect(status).toBe(303);
  expect(headers['clear-site-data']).toBe(CLEARS);
  await expect.poll(() => device.page.evaluate(() => localStorage.getItem('kept'))).toBeNull();

  await device.page.goBack();
  await expect(device.page).toHaveURL('/login?redirectTo=%2Faccount');
  await expect(device.page.locator('body')).not.toContainText(user.username);
});

test('signing out everywhere clears the browser’s data, too, and the page after it works', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  await device.page.evaluate(() => localStorage.setItem('kept', 'by a script'));
  const answer = device.page.waitForResponse((response) => response.url().includes('?/revokeAll'));
  await device.signOutEverywhere();
  expect(await (await answer).headerValue('clear-site-data')).toBe(CLEARS);
  await expect.poll(() => device.page.evaluate(() => localStorage.getItem('kept'))).toBeNull();
  await device.signIn(user);
});

test('no other response clears the browser’s data', async ({ baseURL, client, user }) => {
  const cookie = await client.signUp(user);
  const answers = await answersTo(
    baseURL,
    ['/', '/sessions', '/account', '/api/sessions'].map((path) => ({
      path,
      headers: [['cookie', `pages-session=${cookie}`]],
    })),
  );
  for (const { said, answer } of answers) {
    expect(answer.status, said).toBe(200);
    expect(answer.headers['clear-site-data'], said).toBeUndefined();
  }
});

test('both fields of a Cookie header in two fields are read', async ({ baseURL, client, user }) => {
  const session = `pages-session=${await client.signUp(user)}`;
  const answers = await answersTo(
    baseURL,
    [
      ['theme=dark', session],
      [session, 'theme=dark'],
    ].map((fields) => ({
      path: '/sessions',
      headers: fields.map((field): [string, string] => ['cookie', field]),
    })),
  );
  for (const { answer } of answers) {
    expect(answer.status).toBe(200);
    expect(answer.body).toContain('data-theme="dark"');
    expect(answer.body).toContain('data-current');
  }
});

test('HEAD through the adapter gets the status and headers of a GET, and no body', async ({
  baseURL,
  client,
  user,
}) => {
  const cookie: [string, string] = ['cookie', `pages-session=${await client.signUp(user)}`];
  const paths = ['/', '/login', '/sessions', '/healthz', '/no-such-page', '/.well-known/change-password'];
  for (const length of [[], [['content-length', '0'] as [string, string]]]) {
    const ask = (method: string) =>
      answersTo(
        baseURL,
        paths.map((path) => ({ path, method, headers: method === 'HEAD' ? [cookie, ...length] : [cookie] })),
      );
    const [heads, gets] = [await ask('HEAD'), await ask('GET')];
    for (const [index, { said, answer }] of heads.entries()) {
      const got = gets[index]?.answer;
      expect(answer.status, said).toBe(got?.status);
      expect(answer.body, said).toBe('');
      for (const name of ['content-type', 'location', 'x-content-type-options'])
        expect(answer.headers[name], `${said} ${name}`).toBe(got?.headers[name]);
      const { 'content-length': told } = answer.headers;
      // The cost line contains measured times, so its length varies.
      if (told !== undefined && !got?.body.includes('data-cost'))
        expect(told, said).toBe(String(Buffer.byteLength(got?.body ?? '')));
    }
  }
});

test('/.well-known/change-password leads to the account page', async ({ baseURL }) => {
  const answers = await answersTo(baseURL, [{ path: '/.well-known/change-password' }]);
  expect(answers.map(({ answer }) => [answer.status, answer.headers.location])).toEqual([[303, '/account']]);
});
