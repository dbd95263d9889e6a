import { sessionCookieOf } from './cookie-client';
import { expect, test } from './fixtures';

const DAY_SECONDS = 24 * 60 * 60;

test('signing in leads to the page that the visitor had requested', async ({ newDevice, user }) => {
  await (await newDevice()).startSignedUp(user);

  const device = await newDevice();
  await device.expectSignedOut('/account');
  await device.submitUser(user, 'Sign in');
  await expect(device.page).toHaveURL('/account');
});

test('a wrong password and an unknown user get the same response', async ({ client, newDevice, newUser }) => {
  const [user, nobody] = [newUser(), newUser()];
  const device = await newDevice();
  await device.startSignedUp(user);
  await device.signOut();

  await device.submitUser({ ...user, password: nobody.password }, 'Sign in');
  await expect(device.page.getByRole('alert')).toHaveText('The username or the password is wrong.');
  await expect(device.field('Username')).toHaveValue(user.username);
  await expect(device.field('Password')).toHaveValue('');
  expect(await device.hasSessionCookie()).toBe(false);

  const answers = await Promise.all(
    [user.username, nobody.username].map(async (username) => {
      const response = await client.post('/login', { username, password: 'not the password' });
      // What varies between any two pages: the typed name, the clock, the nonce of the page's script, and the times of the stores.
      const varying = new RegExp(`${username}|now:\\d+|nonce="[^"]*"|<svg viewBox.*?</svg>|[\\d.]+ ms`, 'g');
      const body = (await response.text()).replaceAll(varying, '');
      return { status: response.status, cookie: sessionCookieOf(response), body };
    }),
  );
  expect(answers[0]).toMatchObject({ status: 400, cookie: null });
  expect(answers[1]).toEqual(answers[0]);
});

test('the cookie is for this host alone and out of reach of scripts', async ({ newDevice, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);

  const cookie = await device.sessionCookie();
  // Plain http on localhost: without Secure, and so without the __Host- prefix, which requires it.
  expect(cookie).toMatchObject({
    httpOnly: true,
    sameSite: 'Lax',
    secure: false,
    path: '/',
    domain: 'localhost',
  });
  expect(cookie.value).toMatch(/^[\w-]+\.[\w-]{43}$/);
  const days = (cookie.expires - Date.now() / 1000) / DAY_SECONDS;
  // As long as the session can live.
  expect(days).toBeGreaterThan(89);
  expect(days).toBeLessThan(91);
});

test('signing in again in the same browser replaces its session', async ({ client, newDevice, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const before = await device.sessionCookie();

  const response = await client.post('/login', user, before.value);
  const after = sessionCookieOf(response);
  expect(after).not.toBeNull();
  expect(after).not.toBe(before.value);

  await device.context.addCookies([{ ...before, value: after ?? '' }]);
  await device.visit('/sessions');
  await expect(device.rows()).toHaveCount(1);
  expect((await client.get('/sessions', before.value)).status).toBe(303);
});

test('while KV does not show a session, the sign-in page says so; once KV does, the page opens again', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  const records = await storage.recordsOf((await device.sessionCookie()).userId);
  await storage.putBack(records.map((record) => ({ ...record, value: 'not a session', metadata: null })));
  await device.visit('/account');
  await expect(page).toHaveURL('/login?redirectTo=%2Faccount');
  const notice = page.getByRole('alert');
  await expect(notice).toContainText('Workers KV does not show your session here.');
  const reloaded = page.waitForEvent('load');
  await page.getByRole('link', { name: 'open the page again' }).click();
  await reloaded;
  await expect(notice).toContainText('Workers KV does not show your session here.');
  await storage.putBack(records);
  await page.getByRole('link', { name: 'open the page again' }).click();
  await expect(page).toHaveURL('/account');
  await expect(page.getByRole('heading', { level: 1, name: 'Account' })).toBeVisible();
});

test('a malformed cookie signs nobody in and breaks nothing', async ({ client, newDevice, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const sessionId = await device.sessionId();
  const { value } = await device.sessionCookie();

  const forged = [sessionId, value.slice(0, -1), value + value, 'x'.repeat(8192), 'null', '.', '%00'];
  for (const cookie of forged) {
    const response = await client.get('/sessions', cookie);
    expect(response.status, cookie.slice(0, 80)).toBe(303);
    expect(response.headers.get('location')).toMatch(/^\/login/);
  }
  expect((await client.get('/sessions', value)).status).toBe(200);
});
