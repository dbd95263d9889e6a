import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { givePassword, IPHONE, SAYS_BOTH, setMovedScene } from './moved';

test(`a cookie that is used elsewhere shows on every device; "This wasn't me" ends its session and offers a new password`, async ({
  newDevice,
  storage,
  user,
}) => {
  const { desktop, laptop, thief, moved } = await setMovedScene(newDevice, storage, user);
  const { page } = laptop;
  await laptop.visit('/sessions');
  // It is the first of the other sessions and is marked. The session's own device learns of it, too.
  await expect(laptop.rows().nth(1)).toHaveAttribute('data-session-id', moved);
  await expect(laptop.row(moved)).toContainText(SAYS_BOTH);
  await expect(laptop.row(moved).getByText('Moved', { exact: true })).toBeVisible();
  await expectAccessible(page);
  await desktop.visit('/sessions');
  await expect(desktop.row(moved)).toContainText(SAYS_BOTH);
  await laptop.visit('/activity');
  await expect(page.locator('[data-event="session-moved"]')).toContainText('Signed in on Firefox on Windows');
  await expectAccessible(page);

  await laptop.visit('/sessions');
  await laptop.row(moved).getByRole('button', { name: "This wasn't me" }).click();
  const dialog = page.getByRole('dialog', { name: 'Enter your password to go on' });
  await expect(dialog).toContainText('Then this session ends: Firefox 145 on Windows, Local');
  await expect(page).toHaveURL('/sessions');
  await expectAccessible(page);
  await givePassword(laptop, user, "This wasn't me");
  await expect(page.getByText('Ended: Firefox on Windows, Local.')).toBeVisible();
  await thief.expectSignedOut();
  await desktop.expectSignedOut();
  await expectAccessible(page);

  await laptop.field('Current password').fill(user.password);
  await laptop.field('New password').fill('another good password');
  await page.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByRole('status').filter({ hasText: 'Password changed' })).toBeVisible();
  await expect(page.getByRole('heading', { name: 'Choose a new password' })).toHaveCount(0);
});

test('on the device itself, "This wasn\'t me" stops the copy and keeps the device', async ({
  newDevice,
  storage,
  user,
}) => {
  const { desktop, thief, moved } = await setMovedScene(newDevice, storage, user);
  const { page } = desktop;
  await desktop.visit('/sessions');
  await desktop.row(moved).getByRole('button', { name: "This wasn't me" }).click();
  // A thief's copy has the same proof from the recent sign-in, so the password is always asked for.
  await expect(page.getByRole('dialog')).toContainText('Then every copy of this device’s cookie stops');
  await expect(page.getByRole('dialog')).not.toContainText('15 minutes');
  await givePassword(desktop, user, "This wasn't me");
  await expect(page.getByRole('heading', { name: 'Choose a new password' })).toBeVisible();
  await thief.expectSignedOut();
  await desktop.visit('/sessions');
  await expect(desktop.rows().first()).toHaveAttribute('data-current');
  await expect(page.locator('[data-moved]')).toHaveCount(0);
});

test('"This was me" removes the mark, with the password, and further use from there is not marked again', async ({
  newDevice,
  storage,
  user,
}) => {
  const { laptop, thief, moved } = await setMovedScene(newDevice, storage, user);
  const { page } = laptop;
  await laptop.visit('/sessions');
  // The user who answers has not seen this use.
  const another = await newDevice({ userAgent: IPHONE });
  await another.context.addCookies(await thief.context.cookies());
  await another.visit('/sessions');
  await laptop.row(moved).getByRole('button', { name: 'This was me' }).click();
  await givePassword(laptop, { ...user, password: 'a wrong guess' }, 'This was me');
  await expect(page.getByText('That is not your password.')).toBeVisible();
  await givePassword(laptop, user, 'This was me');
  await expect(page.getByRole('alert')).toContainText('It was used from somewhere else meanwhile.');
  await laptop.visit('/sessions');
  await laptop.row(moved).getByRole('button', { name: 'This was me' }).click();
  await expect(page.getByRole('heading', { name: 'Activity of this session' })).toBeVisible();
  await expect(page.locator('[data-event="move-accepted"]')).toBeVisible();
  await thief.visit('/sessions');
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(2);
  await expect(page.locator('[data-moved]')).toHaveCount(0);
});

test('a session opens on a page of its own, from the activity as well and by any id it has had', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice({ refusals: [404] }), await newDevice()];
  const { page } = laptop;
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  const first = await laptop.sessionId();
  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());
  await expect(page.getByRole('status').filter({ hasText: /Ended: Chrome on \w+, Local\./ })).toBeVisible();
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await laptop.endOthers();
  await expect(page.getByRole('status').filter({ hasText: 'Ended 1 other session.' })).toBeVisible();
  expect(await laptop.sessionId()).not.toBe(first);

  await laptop.visit('/activity');
  await expect(page.locator('[data-event="signed-up"]')).toContainText('This session');
  await page.locator('[data-event="session-revoked"]').getByRole('link').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(/Chrome on \w+, Local/);
  await expect(page.getByText(/Ended from the list of sessions, /)).toBeVisible();
  await expectAccessible(page);

  await laptop.visit(`/sessions/${first}`);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('This device');
  await expect(page.getByText('by signing up')).toBeVisible();
  await expectAccessible(page);
  const unknown = await laptop.visit(`/sessions/${first.slice(0, -4)}AAAA`);
  expect(unknown?.status()).toBe(404);
});
