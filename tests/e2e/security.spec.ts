import { appRoutes } from './app-routes';
import { sessionCookieOf } from './cookie-client';
import { expect, test } from './fixtures';
import { ageProof } from './session-proof';

const PAGES = appRoutes().filter(({ isPage, path }) => isPage && path !== '/logout');
const GUEST_PAGES = ['/login', '/signup'];

test('every page of a signed-in user has a button to sign out', async ({ client, user }) => {
  const cookie = await client.signUp(user);
  const paths = PAGES.map(({ path }) => path).filter((path) => !GUEST_PAGES.includes(path));
  expect(paths).toContain('/sessions');
  for (const path of [...paths, '/no-such-page']) {
    const html = await (await client.get(path, cookie)).text();
    const header = /<header[^]*?<\/header>/.exec(html)?.[0];
    expect(header, path).toMatch(/<form[^>]*method="POST"[^>]*action="\/logout"[^]*?<button[^]*?Sign out/);
  }
});

test('password fields are masked, have the right autocomplete, accept a paste, and can be shown', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const expectField = async (path: string, label: string, autocomplete: string) => {
    await device.visit(path);
    const field = device.field(label);
    await expect(field).toHaveAttribute('type', 'password');
    await expect(field).toHaveAttribute('autocomplete', autocomplete);
    await field.focus();
    await device.page.evaluate((text) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      const paste = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
      const field = document.activeElement;
      // The browser inserts the text unless a handler prevents it.
      if (field?.dispatchEvent(paste)) document.execCommand('insertText', false, text);
    }, user.password);
    await expect(field).toHaveValue(user.password);
    const show = field.locator('..').getByRole('button', { name: 'Show password' });
    await show.click();
    await expect(field).toHaveAttribute('type', 'text');
    await expect(field).toHaveValue(user.password);
    await show.click();
    await expect(field).toHaveAttribute('type', 'password');
  };
  await expectField('/signup', 'Password', 'new-password');
  await expectField('/login', 'Password', 'current-password');
  await device.startSignedUp(user);
  await expectField('/account', 'Current password', 'current-password');
  await expectField('/account', 'New password', 'new-password');
});

test('passwords have 8 to 256 characters of any kind, and may not be among the most used ones', async ({
  client,
  newUser,
}) => {
  const cases: [password: string, status: number][] = [
    ['zq7vkxw', 400],
    ['zq7vkxwm', 303],
    ['only lower case words here', 303],
    [`${'four words and more '.repeat(4)}`.slice(0, 64), 303],
    ['é👩‍🚀'.padEnd(256, 'x y'), 303],
    ['x y'.repeat(86).slice(0, 257), 400],
    ['password1', 400],
    ['Football', 400],
    ['pages-sessions1', 400],
  ];
  for (const [password, status] of cases) {
    const response = await client.post('/signup', { ...newUser(), password });
    expect(response.status, `"${password.slice(0, 30)}", ${password.length} characters`).toBe(status);
    expect(sessionCookieOf(response) !== null).toBe(status === 303);
  }
  const { username } = newUser();
  expect((await client.post('/signup', { username, password: `${username}99` })).status).toBe(400);
});

test('a form longer than any of the app’s is refused, whether or not it declares its length', async ({
  baseURL,
  client,
  user,
}) => {
  await client.post('/signup', user);
  const form = new URLSearchParams(user).toString();
  const long = new TextEncoder().encode(form.padEnd(40_000, 'x'));
  const sent = [long, new Blob([long]).stream(), new Blob([form]).stream()];
  const statuses: number[] = [];
  for (const body of sent) {
    const response = await fetch(new URL('/login', baseURL), {
      method: 'POST',
      headers: {
        origin: baseURL ?? '',
        accept: 'text/html',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body,
      redirect: 'manual',
      // `fetch` requires this if the length is unknown.
      ...({ duplex: 'half' } satisfies object),
    });
    statuses.push(response.status);
  }
  expect(statuses).toEqual([413, 413, 303]);
});

test('a username is the same however it is typed, and only then', async ({ client, user }) => {
  await client.post('/signup', user);
  const name = user.username;
  for (const typed of [
    name.toUpperCase(),
    ` ${name}\u3000`,
    name.replace('user', 'u\u017Fer').replace('\u017F', 's'),
  ]) {
    expect((await client.post('/login', { ...user, username: typed })).status, typed).toBe(303);
  }
  // None of these may be treated as the name, cut off where a parser might end it.
  const others = [`${name}\0`, `${name}\0x`, `${name}%00`, `${name}.`, `${name}\uFEFFx`, `${name}\u200B`];
  for (const other of others) {
    expect((await client.post('/login', { ...user, username: other })).status, JSON.stringify(other)).toBe(
      400,
    );
  }
});

test('a cookie that was planted before the sign-in is not adopted', async ({ client, newUser, user }) => {
  const thief = sessionCookieOf(await client.post('/signup', newUser())) ?? '';
  await client.post('/signup', user);
  const forms = [thief, `${'a'.repeat(15)}.${'A'.repeat(43)}`];
  for (const planted of forms) {
    const response = await client.post('/login', user, planted);
    expect(response.status).toBe(303);
    const given = sessionCookieOf(response) ?? '';
    expect(given).toMatch(/^[\w-]+\.[\w-]{43}$/);
    expect(given).not.toBe(planted);
    expect(given.split('.')[1]).not.toBe(planted.split('.')[1]);
    // The planted cookie opens nothing. If it named a session, that session ended with the sign-in.
    expect((await client.get('/sessions', planted)).status).toBe(303);
    expect(await (await client.get('/sessions', given)).text()).toContain(user.username);
  }
});

test('no address that a sign-in redirects to leaves this site', async ({ baseURL, client, user }) => {
  await client.post('/signup', user);
  const targets = [
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example',
    '/\\evil.example/',
    '\\/evil.example',
    '/..//evil.example',
    '/.//evil.example',
    '/%2e//evil.example',
    '/a/..//evil.example',
    '/\t/evil.example',
    'javascript:alert(1)',
    '/@evil.example',
    '',
  ];
  for (const target of targets) {
    const response = await client.post(`/login?redirectTo=${encodeURIComponent(target)}`, user);
    const location = response.headers.get('location') ?? '';
    expect(response.status, target).toBe(303);
    expect(location, target).toMatch(/^\/(?![/\\])/);
    expect(new URL(location, baseURL).origin, target).toBe(baseURL);
  }
  const wanted = await client.post('/login?redirectTo=%2Factivity%3Fbefore%3D9', user);
  expect(wanted.headers.get('location')).toBe('/activity?before=9');
});

test('changing the theme redirects only within this site', async ({ baseURL }) => {
  for (const [referer, location] of [
    [`${baseURL}/login?x=1`, '/login?x=1'],
    [`${baseURL}//evil.example/`, '/'],
    ['https://evil.example/', '/'],
  ]) {
    const response = await fetch(new URL('/theme', baseURL), {
      method: 'POST',
      headers: { origin: baseURL ?? '', referer: referer ?? '' },
      body: new URLSearchParams({ theme: 'dark' }),
      redirect: 'manual',
    });
    expect(response.headers.get('location'), referer).toBe(location);
  }
});

test('no action and no endpoint accepts a request from another origin, or without one', async ({
  baseURL,
  client,
  newUser,
  user,
}) => {
  const own = sessionCookieOf(await client.post('/signup', user)) ?? '';
  const other = await client.signIn(user);
  const targets = appRoutes().flatMap(({ path, actions, methods }) => [
    ...actions.map((name) => ['POST', name === 'default' ? path : `${path}?/${name}`] as const),
    ...methods
      .filter((method) => method !== 'GET')
      .map((method) => [method, path.replace(/\[.*\]/, 'x')] as const),
  ]);
  expect(targets.length).toBeGreaterThanOrEqual(12);
  const fields = { ...newUser(), currentPassword: user.password, newPassword: 'a password of a thief' };
  const body = new URLSearchParams({ ...fields, password: user.password }).toString();
  const types = ['application/x-www-form-urlencoded', 'text/plain', 'application/json', undefined];

  const origins = [undefined, 'null', 'https://evil.example', `${baseURL}.evil.example`];
  const cases = origins.flatMap((origin) => types.map((type) => ({ origin, type })));
  for (const [method, path] of targets) {
    await Promise.all(
      cases.map(async ({ origin, type }) => {
        const response = await fetch(new URL(path, baseURL), {
          method,
          headers: {
            cookie: `pages-session=${own}`,
            ...(origin !== undefined && { origin }),
            ...(type !== undefined && { 'content-type': type }),
          },
          // Bytes have no content type of their own.
          body: type === undefined ? new TextEncoder().encode(body) : body,
          redirect: 'manual',
        });
        expect(response.status, `${method} ${path} from ${origin} as ${type}`).toBe(403);
        expect(response.headers.getSetCookie()).toEqual([]);
      }),
    );
  }
  // Nothing happened: both sessions are live and the password is the same.
  for (const cookie of [own, other]) expect((await client.get('/sessions', cookie)).status).toBe(200);
  await client.signIn(user);
});

test('a GET changes nothing, whatever its path', async ({ client, user }) => {
  const own = sessionCookieOf(await client.post('/signup', user)) ?? '';
  const other = await client.signIn(user);
  for (const { path, actions } of appRoutes()) {
    for (const action of [null, ...actions]) {
      const asked = path.replace(/\[.*\]/, 'x') + (action === null ? '' : `?/${action}`);
      const response = await client.get(asked, own);
      // There is no session "x".
      expect([200, 303, 405, ...(path.includes('[') ? [404] : [])], asked).toContain(response.status);
      // The sessions page stores the visit in a cookie. No page changes the session cookie.
      expect(sessionCookieOf(response), asked).toBeNull();
    }
  }
  for (const cookie of [own, other]) expect((await client.get('/sessions', cookie)).status).toBe(200);
});

test('no address in the browser ever contains a token, and no page requests another host or a font', async ({
  baseURL,
  newDevice,
  user,
}) => {
  const device = await newDevice({ refusals: [404] });
  const asked: { url: string; type: string }[] = [];
  const referers: string[] = [];
  device.context.on('request', (request) => {
    asked.push({ url: request.url(), type: request.resourceType() });
    // A Referer must not contain a token either.
    referers.push(request.headers().referer ?? '');
  });
  for (const path of ['/', ...GUEST_PAGES, '/no-such-page']) await device.visit(path);
  await device.signUp(user);
  const { token } = await device.sessionCookie();
  for (const { path } of PAGES) await device.visit(path);
  await device.signOut();
  await device.signIn(user);
  const second = await device.sessionCookie();
  await device.signOutEverywhere();

  expect(asked.length).toBeGreaterThan(2 * PAGES.length);
  const addresses = [...asked.map(({ url }) => url), ...referers];
  for (const secret of [token, second.token, user.password, encodeURIComponent(user.password)]) {
    expect(addresses.filter((address) => address.includes(secret))).toEqual([]);
  }
  expect(asked.filter(({ url }) => /^https?:/.test(url) && new URL(url).origin !== baseURL)).toEqual([]);
  expect(asked.filter(({ type }) => type === 'font')).toEqual([]);
});

test('nothing that a visitor writes can pose as the cost line', async ({ newDevice, user }) => {
  const device = await newDevice({ refusals: [400] });
  const { page } = device;
  const check = async () => {
    await expect(page.locator('#cost')).toHaveCount(1);
    await expect(page.locator('#app #cost')).toHaveCount(0);
    expect(await page.content()).not.toMatch(/%cost%\s*<\/body>/);
  };
  await device.visit('/login?redirectTo=%2F%25cost%25');
  await check();
  await device.startSignedUp(user);
  await page.getByText('Rename').click();
  await page.getByRole('textbox', { name: 'Name' }).fill('%cost%');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(device.rows().first()).toContainText('%cost%');
  await device.visit('/sessions');
  await expect(device.rows().first()).toContainText('%cost%');
  await check();
});

test('guessing is answered 429, with the time of the next attempt in words and in Retry-After', async ({
  client,
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await client.post('/signup', user);
  const statuses: number[] = [];
  let last = new Response();
  for (let guess = 0; guess < 6; guess += 1) {
    last = await client.post('/login', { ...user, password: `guess ${guess}` });
    statuses.push(last.status);
  }
  expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
  const seconds = Number(last.headers.get('retry-after'));
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(30);

  await device.visit('/login');
  await device.submitUser(user, 'Sign in');
  await expect(device.page.getByRole('alert')).toHaveText(/Too many tries\. Try again in \d+ seconds?\.$/);
  // It counts down.
  const counted = device.page.locator('[data-countdown]');
  const before = await counted.innerText();
  await expect(counted).not.toHaveText(before);
  expect(await device.hasSessionCookie()).toBe(false);
});

test('ending another session asks for the password when the last proof is old, and then continues', async ({
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice({ refusals: [400, 403] }), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(2);
  const before = await laptop.sessionCookie();
  await ageProof(storage, before.userId, await laptop.sessionId());

  const phonesRow = laptop.row(await phone.sessionId());
  const button = phonesRow.getByRole('button', { name: /^End session/ });
  await button.click();
  const prompt = laptop.page.getByRole('dialog', { name: 'Enter your password to go on' });
  const field = prompt.getByRole('textbox', { name: 'Password', exact: true });
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute('type', 'password');
  await field.fill('not the password');
  await prompt.getByRole('button', { name: 'End session' }).click();
  await expect(prompt.getByRole('alert')).toHaveText('That is not your password.');
  await phone.visit('/sessions');
  await expect(phone.rows()).toHaveCount(2);

  await field.fill(user.password);
  await prompt.getByRole('button', { name: 'End session' }).click();
  await expect(laptop.page.getByRole('status').filter({ hasText: 'Ended: ' })).toBeVisible();
  await expect(laptop.rows()).toHaveCount(1);
  await phone.expectSignedOut();
  // The proof came with a new token.
  expect((await laptop.sessionCookie()).value).not.toBe(before.value);
});
