import { expect, test } from './fixtures';

test('a tab whose session was ended elsewhere learns it when it is looked at again', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await phone.visit('/sessions');
  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());
  // A look within two seconds of the last one asks nothing, so it looks until it knows.
  await expect(async () => {
    await phone.page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await expect(phone.page).toHaveURL(/\/login/, { timeout: 500 });
  }).toPass();
});

test('a device whose session was ended elsewhere is shown as signed out when it goes on', async ({
  newDevice,
  user,
}) => {
  const laptop = await newDevice();
  const phone = await newDevice();
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await laptop.endOthers();

  // A link within the app: no page is loaded anew.
  await phone.page.getByRole('navigation').getByRole('link', { name: 'Account', exact: true }).click();
  await expect(phone.page).toHaveURL('/login?redirectTo=%2Faccount');
  await expect(phone.page.getByText('Your session has ended. Sign in again.')).toBeVisible();
  const header = phone.page.getByRole('banner');
  await expect(header.getByRole('link', { name: 'Sign in' })).toBeVisible();
  await expect(header.getByRole('button', { name: 'Sign out' })).toHaveCount(0);
  await expect(header).not.toContainText(user.username);
  await phone.submitUser(user, 'Sign in');
  await expect(phone.page).toHaveURL('/account');
  await expect(header.getByRole('button', { name: 'Sign out' })).toBeVisible();
});

test('tabs of one browser follow each other’s sign-out and sign-in', async ({ newDevice, user }) => {
  const laptop = await newDevice();
  await laptop.startSignedUp(user);
  await laptop.visit('/sessions');
  const second = await laptop.context.newPage();
  await second.goto(new URL('/account', laptop.page.url()).href);
  // It follows once its scripts run.
  await second.locator('#svelte-announcer').waitFor({ state: 'attached' });
  await laptop.page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(second).toHaveURL(/\/login/);
  await laptop.signIn(user);
  await expect(second).toHaveURL(/\/sessions$/);
});
