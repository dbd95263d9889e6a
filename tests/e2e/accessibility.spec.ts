import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { addSessions } from './many-sessions';
import { ageProof } from './session-proof';

test('axe finds nothing on the pages for guests, in any state', async ({ newDevice }) => {
  const device = await newDevice({ refusals: [404] });
  const { page } = device;
  for (const path of ['/', '/login?redirectTo=/account', '/no-such-page']) {
    await device.visit(path);
    await expectAccessible(page);
  }
  for (const [path, button] of [
    ['/signup', 'Sign up'],
    ['/login', 'Sign in'],
  ] as const) {
    await device.visit(path);
    await device.submitUser({ username: '', password: '' }, button);
    await expect(page.getByRole('alert')).toHaveCount(2);
    await expectAccessible(page);
  }
});

test('axe finds nothing on the pages of an account, in any state', async ({ newDevice, user }) => {
  const device = await newDevice({ refusals: [400] });
  const { page } = device;
  await device.startSignedUp(user);
  for (const path of ['/', '/activity', '/kv']) {
    await device.visit(path);
    await expectAccessible(page);
  }
  await device.visit('/account');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('alert')).toHaveCount(2);
  await device.field('Your password').fill(user.password);
  await page.getByRole('button', { name: 'Delete account' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectAccessible(page);
});

test('axe finds nothing on the sessions page, its dialogs and its results', async ({ newDevice, user }) => {
  const [laptop, phone, tablet] = [
    await newDevice({ refusals: [404] }),
    await newDevice(),
    await newDevice(),
  ];
  const { page } = laptop;
  await laptop.startSignedUp(user);
  await expect(page.getByText('No other sessions are listed.')).toBeVisible();
  await expectAccessible(page);

  await phone.startSignedIn(user);
  await tablet.startSignedIn(user);
  await laptop.visit('/sessions');
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectAccessible(page);
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

  // With the form for a name open, and the result of the last action shown.
  await laptop.endSession(await phone.sessionId());
  const row = laptop.row(await tablet.sessionId());
  await row.getByText('Rename').click();
  await expect(page.getByRole('status').filter({ hasText: 'ended' })).toBeVisible();
  await expectAccessible(page);

  // The tablet ends its own session meanwhile, and the laptop's page still lists it.
  await tablet.signOut();
  await row.getByRole('textbox', { name: 'Name' }).fill('Gone');
  await row.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('alert').filter({ hasText: 'not in your list' })).toBeVisible();
  await expectAccessible(page);
});

test('axe finds nothing on the sessions page with many sessions, with a password question, or with a failure', async ({
  newDevice,
  storage,
  user,
}) => {
  const laptop = await newDevice({ refusals: [403, 503] });
  const { page } = laptop;
  await laptop.startSignedUp(user);
  const { userId } = await laptop.sessionCookie();
  await addSessions(storage, userId, 12);
  await ageProof(storage, userId, await laptop.sessionId());
  await laptop.visit('/sessions');
  await laptop.rows().last().getByRole('button', { name: 'End session' }).click();
  await expect(page.getByRole('heading', { name: 'Enter your password' })).toBeVisible();
  await expectAccessible(page);

  await storage.failWritesOf(userId);
  await page.getByLabel('Password', { exact: true }).fill(user.password);
  await page.getByRole('main').getByRole('button', { name: 'End session', exact: true }).click();
  await expect(
    page.getByRole('alert').filter({ hasText: 'The database (D1) did not answer.' }),
  ).toBeVisible();
  await expectAccessible(page);
});
