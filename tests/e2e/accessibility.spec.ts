import { expectNoAxeViolations } from './axe';
import { expect, test } from './fixtures';

test('axe finds nothing on the pages for guests', async ({ newDevice }) => {
  const device = await newDevice({ refusals: [404] });
  for (const path of ['/', '/signup', '/login', '/login?redirectTo=/account', '/no-such-page']) {
    await device.visit(path);
    await expectNoAxeViolations(device.page);
  }
  await expect(device.page.getByRole('heading', { level: 1 })).toBeVisible();
});

test('axe finds nothing on the forms after wrong input', async ({ newDevice }) => {
  const device = await newDevice();
  for (const [path, button] of [
    ['/signup', 'Sign up'],
    ['/login', 'Sign in'],
  ] as const) {
    await device.visit(path);
    await device.submitUser({ username: '', password: '' }, button);
    await expect(device.page.getByRole('alert')).toHaveCount(2);
    await expectNoAxeViolations(device.page);
  }
});

test('axe finds nothing on the pages of an account, and in their dialogs', async ({ newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);

  for (const path of ['/', '/account', '/sessions']) {
    await laptop.visit(path);
    await expectNoAxeViolations(laptop.page);
  }
  await laptop.page.getByRole('main').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(laptop.page.getByRole('dialog')).toBeVisible();
  await expectNoAxeViolations(laptop.page);
  await laptop.page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();

  await laptop.endSession(await phone.sessionId());
  await expect(laptop.page.getByRole('status').filter({ hasText: 'ended' })).toBeVisible();
  await expectNoAxeViolations(laptop.page);
});
