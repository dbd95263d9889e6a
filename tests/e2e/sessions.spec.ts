import { expect, test } from './fixtures';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

test('two devices see each other', async ({ newDevice, user }) => {
  const laptop = await newDevice();
  const phone = await newDevice({ userAgent: FIREFOX });
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');

  for (const device of [laptop, phone]) {
    await expect(device.rows()).toHaveCount(2);
    await expect(device.page.locator('[data-current]')).toHaveCount(1);
  }
  expect(await laptop.sessionId()).not.toBe(await phone.sessionId());
  await expect(laptop.row(await phone.sessionId())).toContainText(/Firefox 140 on Windows/);
  await expect(phone.row(await phone.sessionId())).toContainText('This device');
});

test('revoking one session signs that device out at its next request and keeps this one', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone, tablet] = [await newDevice(), await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await tablet.startSignedIn(user);

  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());
  await expect(laptop.page.getByRole('status').filter({ hasText: 'Ended: ' })).toBeVisible();
  await expect(laptop.rows()).toHaveCount(2);

  await phone.expectSignedOut();
  expect(await phone.hasSessionCookie()).toBe(false);
  await tablet.visit('/sessions');
  await expect(tablet.rows()).toHaveCount(2);
});

test('an action on a device that was signed out changes nothing and asks to sign in', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());

  // Its page was loaded before, and its list and buttons still look usable.
  await phone.page.getByRole('main').getByRole('button', { name: 'End the other session' }).click();
  await phone.page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  await expect(phone.page).toHaveURL('/login?redirectTo=%2Fsessions');

  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(1);
});

test('revoking all others keeps this device, under a new token', async ({ client, newDevice, user }) => {
  const [laptop, phone, tablet] = [await newDevice(), await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await tablet.startSignedIn(user);
  await laptop.visit('/sessions');
  const before = await laptop.sessionCookie();

  await laptop.endOthers();
  await expect(laptop.page.getByRole('status').filter({ hasText: 'Ended 2 other sessions.' })).toBeVisible();
  await phone.expectSignedOut();
  await tablet.expectSignedOut();

  expect((await laptop.sessionCookie()).value).not.toBe(before.value);
  expect((await client.get('/sessions', before.value)).status).toBe(303);
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(1);
});

test('signing out everywhere ends this device too', async ({ newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');

  await laptop.signOutEverywhere();
  await expect(
    laptop.page.getByRole('status').filter({ hasText: 'signed out on every device' }),
  ).toBeVisible();
  await laptop.expectSignedOut();
  await phone.expectSignedOut();

  await laptop.startSignedIn(user);
  await expect(laptop.rows()).toHaveCount(1);
});

test('cancelling a confirmation dialog ends nothing', async ({ newDevice, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  await device.page.getByRole('main').getByRole('button', { name: 'Sign out everywhere' }).click();
  await device.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(device.page.getByRole('dialog')).toHaveCount(0);
  await device.visit('/sessions');
  await expect(device.rows()).toHaveCount(1);
});

test('signing out ends the session itself, not only the cookie', async ({ client, newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  const { value } = await laptop.sessionCookie();

  await laptop.signOut();
  const said = laptop.page.getByText('You are signed out.');
  await expect(said).toBeVisible();
  expect(await laptop.hasSessionCookie()).toBe(false);
  // This is said once. A visitor who had no session is told nothing about one.
  await laptop.visit('/login');
  await expect(said).toHaveCount(0);
  await laptop.expectSignedOut();
  await expect(laptop.page.getByText('Sign in to continue.')).toBeVisible();
  expect((await client.get('/sessions', value)).status).toBe(303);

  await phone.visit('/sessions');
  await expect(phone.rows()).toHaveCount(1);
});

test('another user’s session and an unknown one get the same response, and the session stays', async ({
  client,
  newUser,
}) => {
  const [alice, bob] = [await client.signUp(newUser()), await client.signUp(newUser())];
  const [bobsId = ''] = await client.sessionIds(bob);

  const answer = async (sessionId: string) => {
    const response = await client.post('/sessions?/revoke', { sessionId }, alice);
    const page = await response.text();
    return { status: response.status, alert: /role="alert"[^]*?<\/div>/.exec(page)?.[0] };
  };
  const somebodyElses = await answer(bobsId);
  expect(somebodyElses.status).toBe(404);
  expect(somebodyElses.alert).toContain('not in your list');
  expect(await answer(`${alice.split('.')[0]}.${'A'.repeat(43)}`)).toEqual(somebodyElses);
  expect(await client.sessionIds(bob)).toEqual([bobsId]);
});
