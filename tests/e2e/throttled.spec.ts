/** Wherever there were too many attempts, the page counts down to the next one and then says that it is allowed. */
import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from './axe';
import type { Device, User } from './device';
import { expect, test } from './fixtures';
import { ageProof } from './session-proof';

const STATUSES = { refusals: [400, 403, 429] };
const GUESSES_FREE = 5;

test('the account page counts down after too many wrong passwords', async ({ newDevice, user }) => {
  const device = await newDevice(STATUSES);
  const { page } = device;
  await device.startSignedUp(user);
  await guess(device, user);
  await page.clock.install();
  await device.visit('/account');

  const change = page.getByRole('region', { name: 'Change password' });
  await device.field('Current password').fill('not the password');
  await device.field('New password').fill(`${user.password} new`);
  await change.getByRole('button', { name: 'Change password' }).click();
  // Typing does not change the wait.
  await expect(change.locator('[data-countdown]')).toBeVisible();
  await device.field('Current password').pressSequentially('x');
  await expectCountdown(page, change);

  const remove = page.getByRole('region', { name: 'Delete account' });
  await device.field('Your password').fill('not the password');
  await remove.getByRole('button', { name: 'Delete account' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete for good' }).click();
  await expectCountdown(page, remove);
});

test('the password dialog counts down after too many wrong passwords', async ({
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice(STATUSES), await newDevice()];
  const { page } = laptop;
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await guess(laptop, user);
  await page.clock.install();
  await laptop.visit('/sessions');
  await ageProof(storage, (await laptop.sessionCookie()).userId, await laptop.sessionId());
  await page.getByRole('button', { name: /^End session/ }).click();
  const dialog = page.getByRole('dialog', { name: 'Enter your password to go on' });
  await dialog.getByRole('textbox', { name: 'Password', exact: true }).fill('not the password');
  await page.keyboard.press('Enter');
  await expectCountdown(page, dialog);
  await expectAccessible(page);
});

test('the race counts down after too many races', async ({ newDevice }) => {
  const device = await newDevice(STATUSES);
  const { page } = device;
  await page.clock.install();
  await device.visit('/race');
  // All tests have one address, whose races are counted together.
  await page.route('**/race?/start', (route) =>
    route.fulfill({ json: { type: 'failure', status: 429, data: '[{"error":1},{"waitSeconds":2},30]' } }),
  );
  await page.getByRole('button', { name: 'Sign both phones in' }).click();
  await expectCountdown(page, page.getByRole('main'));
});

/** Enters so many wrong passwords in this browser that the next attempt has to wait. */
async function guess(device: Device, { password }: User): Promise<void> {
  const { context, page } = device;
  const answers = [];
  for (let time = 0; time <= GUESSES_FREE; time += 1) {
    const form = { currentPassword: `guess ${time}`, newPassword: `${password} new` };
    const headers = { origin: new URL(page.url()).origin, accept: 'text/html' };
    answers.push(await context.request.post('/account?/changePassword', { form, headers }));
  }
  expect(answers.map((answer) => answer.status())).toEqual([400, 400, 400, 400, 400, 429]);
}

/** Expects a countdown. The page's clock must be installed. */
async function expectCountdown(page: Page, part: Locator): Promise<void> {
  const counted = part.locator('[data-countdown]');
  await expect(part.getByRole('alert')).toHaveCount(1);
  await expect(counted).toHaveText(/^Too many tries\. Try again in \d+ seconds?\.$/);
  const before = await counted.innerText();
  await page.clock.runFor(2_000);
  await expect(counted).not.toHaveText(before);
  await page.clock.runFor(60_000);
  await expect(counted).toHaveText('You can try again now.');
}
