/** The password is asked for in the same dialog, and the focus then returns to where it was. */
import { expectAccessible } from './axe';
import type { Device } from './device';
import { expect, test } from './fixtures';
import { ageProof } from './session-proof';
import type { Storage } from './storage';

const STATUSES = { refusals: [400, 403] };

test('ending a row’s session opens a dialog that asks for the password, says what is wrong, remembers the request, and returns the focus', async ({
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice({ ...STATUSES, unanswered: true }), await newDevice()];
  const { page } = laptop;
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await askAnew(laptop, storage);
  const row = laptop.row(await phone.sessionId());
  const button = row.getByRole('button', { name: /^End session/ });
  const dialog = page.getByRole('dialog', { name: 'Enter your password to go on' });
  const field = dialog.getByRole('textbox', { name: 'Password', exact: true });

  await button.click();
  await expect(field).toBeFocused();
  await expect(dialog).toContainText(/Then this session ends: Chrome .*, Local, signed in/);
  await expect(dialog.locator('input[autocomplete="username"]')).toHaveValue(user.username);
  await expect(page.getByRole('region', { name: 'Enter your password to go on' })).toHaveCount(0);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  await expect(button).toBeFocused();

  await button.click();
  await dialog.getByRole('button', { name: 'End session' }).click();
  await expect(dialog.getByRole('alert')).toHaveText('Enter your password.');
  await expect(field).toBeFocused();
  await expectAccessible(page);
  await field.fill('not the password');
  await field.press('Enter');
  await expect(dialog.getByRole('alert')).toHaveText('That is not your password.');
  await expect(field).toHaveValue('');

  // Without a response, the dialog says so and keeps what was typed.
  await field.fill(user.password);
  await page.route(/\/revoke$/, (route) => route.abort());
  await field.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('No answer came');
  await expect(field).toHaveValue(user.password);
  await page.unroute(/\/revoke$/);
  await field.press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'Ended: ' })).toBeVisible();
  await expect(dialog).toHaveCount(0);
  await expect(row).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Other sessions' })).toBeFocused();
  await phone.expectSignedOut();
});

test('ending all others or all sessions asks for confirmation and for the password in one dialog', async ({
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice(STATUSES), await newDevice()];
  const { page } = laptop;
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await askAnew(laptop, storage);
  const main = page.getByRole('main');
  const dialog = page.getByRole('dialog');
  const field = dialog.getByRole('textbox', { name: 'Password', exact: true });

  const others = main.getByRole('button', { name: 'End the other session' });
  await others.click();
  await dialog.getByRole('button', { name: 'End session' }).click();
  await expect(dialog).toHaveCount(1);
  await expect(dialog).toHaveAccessibleName('End the other session?');
  await expect(field).toBeFocused();
  await expectAccessible(page);
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(others).toBeFocused();
  // Nothing is left of the question.
  await others.click();
  await expect(dialog).toBeVisible();
  await expect(field).toHaveCount(0);
  await dialog.getByRole('button', { name: 'End session' }).click();
  await field.fill(user.password);
  await field.press('Enter');
  await expect(page.getByRole('status').filter({ hasText: 'Ended 1 other session.' })).toBeVisible();
  await phone.expectSignedOut();

  await askAnew(laptop, storage);
  await main.getByRole('button', { name: 'Sign out everywhere' }).click();
  await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
  await field.fill(user.password);
  await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page).toHaveURL('/login');
});

test('in a browser without dialogs the page asks for the password', async ({ newDevice, storage, user }) => {
  const [laptop, phone] = [await newDevice(STATUSES), await newDevice()];
  const { page } = laptop;
  await page.addInitScript(() => Reflect.deleteProperty(HTMLDialogElement.prototype, 'showModal'));
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await askAnew(laptop, storage);
  await laptop
    .row(await phone.sessionId())
    .getByRole('button', { name: /^End session/ })
    .click();
  const prompt = page.getByRole('region', { name: 'Enter your password to go on' });
  const field = prompt.getByRole('textbox', { name: 'Password', exact: true });
  await expect(field).toBeFocused();
  await laptop.ready();
  await field.fill('not the password');
  await field.press('Enter');
  await expect(prompt.getByRole('alert')).toHaveText('That is not your password.');
  await field.fill(user.password);
  await field.press('Enter');
  await expect(laptop.rows()).toHaveCount(1);
  await expect(prompt).toHaveCount(0);
});

/** Makes the last proof of the password too old. */
async function askAnew(device: Device, storage: Storage): Promise<void> {
  await device.visit('/sessions');
  await ageProof(storage, (await device.sessionCookie()).userId, await device.sessionId());
}
