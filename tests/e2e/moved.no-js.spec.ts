import { expect, test } from './fixtures';
import { givePassword, SAYS_BOTH, setMovedScene } from './moved';

test('a sign-in that was not its user’s is ended from the activity, and a new password is offered next', async ({
  newDevice,
  storage,
  user,
}) => {
  const { desktop, laptop, thief, moved } = await setMovedScene(newDevice, storage, user);
  const { page } = laptop;
  await laptop.visit('/sessions');
  await expect(laptop.row(moved)).toContainText(SAYS_BOTH);
  await laptop.visit('/activity');
  const event = page.locator('[data-event="session-moved"]');
  await event.getByRole('button', { name: "This wasn't me" }).click();
  await givePassword(laptop, user, "This wasn't me");
  await expect(page.getByText('Ended: Firefox on Windows, Local.')).toBeVisible();
  await thief.expectSignedOut();
  await desktop.expectSignedOut();
  await laptop.field('Current password').fill(user.password);
  await laptop.field('New password').fill('another good password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Password changed' })).toBeVisible();
});
