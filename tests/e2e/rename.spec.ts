import { expect, test } from './fixtures';

test('a session gets a name, keeps it, and loses it again', async ({ newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  const row = laptop.row(await phone.sessionId());
  const heading = row.getByRole('heading');
  const device = (await heading.innerText()).replace(/\s*New.*$/s, '');

  await row.getByText('Rename').click();
  await row.getByRole('textbox', { name: 'Name' }).fill('Phone in the kitchen');
  await row.getByRole('button', { name: 'Save' }).click();
  await expect(laptop.page.getByRole('status').filter({ hasText: 'Phone in the kitchen' })).toBeVisible();
  await expect(heading).toContainText('Phone in the kitchen');
  // The device is still shown.
  await expect(row).toContainText(device);
  await expect(row.getByRole('textbox', { name: 'Name' })).toBeHidden();
  await expect(row.locator('summary')).toBeFocused();

  await phone.visit('/sessions');
  await expect(phone.page.locator('[data-current]').getByRole('heading')).toContainText(
    'Phone in the kitchen',
  );

  await row.getByText('Rename').click();
  await expect(row.getByRole('textbox', { name: 'Name' })).toHaveValue('Phone in the kitchen');
  await row.getByRole('textbox', { name: 'Name' }).fill('');
  await row.getByRole('button', { name: 'Save' }).click();
  await expect(heading).toContainText(device);
  await expect(row).not.toContainText('Phone in the kitchen');
});

test('the rename form opens with the focus in its field; Escape or a click elsewhere closes it and changes nothing', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const row = device.page.locator('[data-current]');
  await row.getByText('Rename').click();
  const field = row.getByRole('textbox', { name: 'Name' });
  await expect(field).toBeFocused();
  await field.fill('Not this');
  await device.page.keyboard.press('Escape');
  await expect(field).toBeHidden();
  await expect(row.locator('summary')).toBeFocused();

  await row.getByText('Rename').click();
  await row.getByText('Leave it empty').click();
  await expect(field).toBeVisible();
  await device.page.getByRole('heading', { level: 1 }).click();
  await expect(field).toBeHidden();
  await expect(row.getByRole('heading')).not.toContainText('Not this');
});

test('a session that began after the last visit is marked as new', async ({ newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  const marked = { name: /New since your last visit/ };
  await expect(laptop.row(await phone.sessionId()).getByRole('heading', marked)).toBeVisible();
  await expect(laptop.page.getByRole('heading', marked)).toHaveCount(1);
  // No session began after the phone's.
  await phone.visit('/sessions');
  await expect(phone.rows()).toHaveCount(2);
  await expect(phone.page.getByRole('heading', marked)).toHaveCount(0);
});
