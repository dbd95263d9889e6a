import { expect, test } from './fixtures';
import { addSessions } from './many-sessions';
import { ageProof } from './session-proof';

// The main tasks with scripts off. axe needs scripts, so other tests check these pages with it.

test('a refused form comes back as a page with its message and the username', async ({
  client,
  newDevice,
  user,
}) => {
  await client.signUp(user);

  const device = await newDevice({ refusals: [400, 409] });
  await device.visit('/signup');
  const taken = device.page.waitForResponse((response) => response.request().method() === 'POST');
  await device.submitUser(user, 'Sign up');
  expect((await taken).status()).toBe(409);
  await expect(device.page.getByRole('alert')).toHaveText(/taken/);
  await expect(device.field('Username')).toHaveValue(user.username);
  await expect(device.field('Password')).toHaveValue('');

  await device.visit('/login');
  const refused = device.page.waitForResponse((response) => response.request().method() === 'POST');
  await device.submitUser({ ...user, password: 'not the password' }, 'Sign in');
  expect((await refused).status()).toBe(400);
  await expect(device.page.getByRole('alert')).toHaveText('The username or the password is wrong.');
  await expect(device.field('Username')).toHaveValue(user.username);
  expect(await device.hasSessionCookie()).toBe(false);
  await expect(device.page.getByRole('complementary', { name: 'Cost' })).not.toContainText('per million');
});

test('without scripts one can sign up, sign in elsewhere, revoke that device and sign out', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.signUp(user);
  await phone.expectSignedOut('/account');
  await phone.submitUser(user, 'Sign in');
  await expect(phone.page).toHaveURL('/account');
  await phone.visit('/sessions');
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(2);

  await laptop.endSession(await phone.sessionId());
  await expect(laptop.page.getByRole('status').filter({ hasText: 'Ended: ' })).toBeVisible();
  await phone.expectSignedOut();
  await expect(
    phone.page.getByText(/^This session was ended from Chrome .*, just now\. Sign in again\.$/),
  ).toBeVisible();
  await phone.expectSignedOut();
  await expect(phone.page.getByText('Sign in to continue.')).toBeVisible();

  await laptop.visit('/sessions');
  await laptop.signOut();
  await expect(laptop.page.getByRole('status')).toHaveText('You are signed out.');
  await laptop.expectSignedOut();
});

test('without scripts one can revoke the others and then sign out everywhere', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone, tablet] = [await newDevice(), await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await tablet.startSignedIn(user);

  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(3);
  await laptop.endOthers();
  await phone.expectSignedOut();
  await tablet.expectSignedOut();

  await phone.signIn(user);
  await expect(phone.rows()).toHaveCount(2);
  await laptop.visit('/sessions');
  await laptop.signOutEverywhere();
  await expect(
    laptop.page.getByRole('status').filter({ hasText: 'signed out on every device' }),
  ).toBeVisible();
  await phone.expectSignedOut();
});

test('a password change keeps this device and ends the others', async ({ newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);

  const newPassword = 'a new password, long enough';
  await laptop.changePassword(user, newPassword);
  await phone.expectSignedOut();
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(1);
  await phone.signIn({ ...user, password: newPassword });
});

test('without scripts one can name a session, confirm the password, choose a theme, download the data and delete the account', async ({
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice({ refusals: [403] }), await newDevice()];
  const { page } = laptop;
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');

  const row = laptop.row(await phone.sessionId());
  await row.getByText('Rename').click();
  await row.getByRole('textbox', { name: 'Name' }).fill('Phone in the kitchen');
  await row.getByRole('button', { name: 'Save' }).click();
  await expect(row.getByRole('heading')).toContainText('Phone in the kitchen');

  await ageProof(storage, (await laptop.sessionCookie()).userId, await laptop.sessionId());
  await row.getByRole('button', { name: 'End session' }).click();
  await expect(
    page.getByText(/Then this session ends: Phone in the kitchen, local, signed in .+ UTC\./i),
  ).toBeVisible();
  await laptop.field('Password').fill(user.password);
  await page.getByRole('main').getByRole('button', { name: 'End session', exact: true }).click();
  await expect(laptop.rows()).toHaveCount(1);

  await page.getByRole('contentinfo').getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(laptop.rows()).toHaveCount(1);

  await laptop.visit('/account');
  const download = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Download my data' }).click();
  expect((await download).suggestedFilename()).toBe(`${user.username}-data.json`);

  await laptop.field('Your password').fill(user.password);
  await page.getByRole('button', { name: 'Delete account' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
  await expect(page).toHaveURL('/login');
  await expect(page.getByRole('status')).toContainText('Your account is deleted');
});

test('without scripts a reload after sample devices were added adds no more', async ({ newDevice, user }) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await page.getByRole('button', { name: 'Add sample devices' }).click();
  await expect(device.rows()).toHaveCount(1 + 4);
  const again = page.waitForRequest((request) => request.method() === 'POST');
  await page.reload();
  await again;
  await expect(device.rows()).toHaveCount(1 + 4);
});

test('without scripts many sessions can be searched', async ({ newDevice, storage, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  await addSessions(storage, (await device.sessionCookie()).userId, 12);
  await device.visit('/sessions');
  await expect(device.rows().last()).toBeVisible();
  await device.page.getByRole('searchbox', { name: 'Find a session' }).fill('kyoto firefox');
  await device.page.getByRole('button', { name: 'Find' }).click();
  await expect(device.rows()).toHaveCount(1 + 2);
  await expect(device.page.getByRole('searchbox')).toHaveValue('kyoto firefox');
});

test('without scripts a group is ended as a whole, after the password was entered on the page', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice({ refusals: [403] });
  const { page } = device;
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();
  await addSessions(storage, userId, 12);
  await ageProof(storage, userId, await device.sessionId());
  await device.visit('/sessions');
  await page.getByRole('button', { name: 'End these 4' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'End 4 sessions' }).click();
  await expect(page.getByText('Then those 4 sessions end.')).toBeVisible();
  await device.field('Password').fill(user.password);
  await page.getByRole('main').getByRole('button', { name: 'End sessions', exact: true }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Ended 4 sessions.' })).toBeVisible();
  await expect(device.rows()).toHaveCount(1 + 8);
});
