/** One browser with several users, or without cookies. */
import { expect, test } from './fixtures';

test('a form of a page open for one user is refused after another user signed in in another tab, and the form stays', async ({
  newDevice,
  newUser,
  user,
}) => {
  const [device, phone] = [await newDevice({ refusals: [409] }), await newDevice()];
  const other = newUser();
  await device.startSignedUp(user);
  await phone.startSignedIn(user);
  const activity = await device.context.newPage();
  await activity.goto(new URL('/activity', device.page.url()).href);
  await activity.locator('#svelte-announcer').waitFor({ state: 'attached' });
  await device.visit('/account');
  await device.field('Current password').fill(other.password);
  await device.field('New password').fill('another good password');
  // As another tab of this browser does. This tab has not been visited since.
  const { origin } = new URL(device.page.url());
  await device.context.clearCookies();
  const answer = await device.context.request.post('/signup', {
    form: other,
    headers: { origin, accept: 'text/html' },
    maxRedirects: 0,
  });
  expect(answer.status()).toBe(303);

  await device.page.getByRole('main').getByRole('button', { name: 'Change password' }).click();
  await expect(device.page.getByText(`You are signed in as ${other.username}.`)).toBeVisible();
  await expect(device.page).toHaveURL('/account');
  await expect(device.page.getByRole('heading', { name: 'Change password' })).toBeVisible();

  // A form that posts to another page is refused, too.
  await activity.getByRole('button', { name: "This wasn't me" }).click();
  await expect(activity.getByText(`You are signed in as ${other.username}.`)).toBeVisible();
  await expect(activity).toHaveURL('/activity');

  await device.page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(device.page.getByRole('heading', { name: 'This was made for another account' })).toBeVisible();
  await expect(device.page.getByText(`You are signed in as ${other.username}.`)).toBeVisible();
  // Still signed in, and the password is unchanged.
  await device.visit('/account');
  await expect(device.page.getByRole('region', { name: 'Profile' }).getByText(other.username)).toBeVisible();
});

test('if the browser keeps no cookies, a right password creates nothing, and the page says why', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice({ refusals: [400] });
  await device.startSignedUp(user);
  await device.signOut();
  await device.context.clearCookies();
  await device.submitUser(user, 'Sign in');
  await expect(device.page.getByText('Your browser sent no cookie')).toBeVisible();
  await expect(device.page).toHaveURL('/login');
  await expect(device.field('Username')).toHaveValue(user.username);
  // That response left a cookie, which also helps a page that was open for long.
  await device.submitUser(user, 'Sign in');
  await expect(device.page).toHaveURL('/sessions');
  await expect(device.rows()).toHaveCount(1);
});

test('the step-up form says whose password it asks for', async ({ newDevice, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const hidden = device.page.locator('form input[autocomplete="username"]');
  await device.visit('/account');
  await expect(hidden).toHaveCount(2);
  for (const input of await hidden.all()) await expect(input).toHaveValue(user.username);
});

test('every form on account pages says for whom it was made, including sign-out', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();
  for (const path of ['/', '/sessions', '/activity', '/account', '/kv']) {
    await device.visit(path);
    const forms = device.page.locator('form[method="POST" i]:not([action="/theme"])');
    expect(await forms.count(), path).toBeGreaterThan(0);
    for (const form of await forms.all())
      await expect(form.locator('input[name="userId"]')).toHaveValue(userId);
  }
});

test('a redirect that is asked for as data waits for the layout, which may set cookies', async ({
  client,
  user,
}) => {
  const response = await client.get('/logout/__data.json', await client.signUp(user));
  expect(await response.json()).toEqual({ type: 'redirect', location: '/' });
  expect(response.headers.getSetCookie().join()).toContain('confirmation=');
});
