/** A field's error is below the field, is red when the focus is there, and disappears when the field is edited. */
import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';

test('an error is directly below its field, which is red, and disappears when that field is edited', async ({
  newDevice,
}) => {
  const device = await newDevice({ refusals: [400] });
  const { page } = device;
  await device.visit('/signup');
  const [username, password] = [device.field('Username'), device.field('Password')];
  const alerts = page.getByRole('main').getByRole('alert');
  await device.submitUser({ username: 'a b', password: 'short' }, 'Sign up');
  await expect(alerts).toHaveCount(2);
  for (const [field, alert] of [
    [username, alerts.first()],
    [password, alerts.last()],
  ] as const)
    await expectUnder(field, alert);
  await expect(username).toBeFocused();
  await expectRed(username);

  await username.pressSequentially('c');
  await expect(alerts).toHaveText([/at least 8 characters/]);
  await expect(username).not.toHaveAttribute('aria-invalid');
  await expectRed(username, false);
  await password.pressSequentially('x');
  await expect(alerts).toHaveCount(0);
  // The same mistake is reported again.
  await device.submitUser({ username: 'a b', password: 'short' }, 'Sign up');
  await expect(alerts).toHaveCount(2);
});

test('the error of a name is directly below its field, which is red, and disappears when the name is edited', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice({ refusals: [400] });
  await device.startSignedUp(user);
  const row = device.page.locator('[data-current]');
  await row.getByText('Rename').click();
  const field = row.getByRole('textbox', { name: 'Name' });
  for (let time = 0; time < 2; time += 1) {
    await field.fill('This device');
    await row.getByRole('button', { name: 'Save' }).click();
    await expectUnder(field, row.getByRole('alert'));
    await expect(field).toBeFocused();
    await expectRed(field);
    await field.press('Backspace');
    await expect(row.getByRole('alert')).toHaveCount(0);
    await expect(field).not.toHaveAttribute('aria-invalid');
  }
});

/** Expects no gap between the two, and nothing else there. */
async function expectUnder(field: Locator, alert: Locator): Promise<void> {
  const [above, below] = [await field.boundingBox(), await alert.boundingBox()];
  const gap = (below?.y ?? NaN) - ((above?.y ?? NaN) + (above?.height ?? NaN));
  expect(gap).toBeGreaterThanOrEqual(0);
  expect(gap).toBeLessThanOrEqual(8);
}

async function expectRed(field: Locator, red = true): Promise<void> {
  const colours = await field.evaluate((element) => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'var(--danger)';
    const danger = getComputedStyle(probe).color;
    probe.remove();
    const { borderTopColor, outlineColor } = getComputedStyle(element);
    return [borderTopColor, outlineColor].map((colour) => colour === danger);
  });
  expect(colours).toEqual([red, red]);
}
