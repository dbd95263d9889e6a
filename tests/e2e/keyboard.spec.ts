import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures';

const TABS_MAX = 60;

test('the main tasks need no mouse', async ({ newDevice, user }) => {
  const [laptop, phone, tablet] = [await newDevice(), await newDevice(), await newDevice()];
  const { page } = laptop;
  const { keyboard } = page;
  const main = page.getByRole('main');

  await laptop.visit('/signup');
  await tabTo(page, laptop.field('Username'));
  await keyboard.type(user.username);
  await tabTo(page, laptop.field('Password'));
  await keyboard.type(user.password);
  await keyboard.press('Enter');
  await expect(page).toHaveURL('/sessions');

  await phone.startSignedIn(user);
  await tablet.startSignedIn(user);
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(3);

  // One session: the focus moves to the row that takes its place, and the result is announced.
  const ended = laptop.row(await phone.sessionId());
  await tabTo(page, ended.getByRole('button', { name: /^End session/ }));
  await keyboard.press('Enter');
  await expect(ended).toHaveCount(0);
  await expect(page.getByRole('status').filter({ hasText: 'Ended: ' })).toBeVisible();
  await expect(laptop.row(await tablet.sessionId()).getByRole('heading')).toBeFocused();

  // All others, with the dialog: it takes the focus, Escape returns it, and Enter confirms.
  const endOthers = main.getByRole('button', { name: 'End the other session' });
  await tabTo(page, endOthers, 'Shift+Tab');
  await keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await expect(dialog).toBeVisible();
  await keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(endOthers).toBeFocused();
  await keyboard.press('Enter');
  await tabTo(page, dialog.getByRole('button', { name: 'End session' }));
  await keyboard.press('Enter');
  await expect(laptop.rows()).toHaveCount(1);
  await expect(main.getByRole('heading', { name: 'Other sessions' })).toBeFocused();

  await tabTo(page, main.getByRole('button', { name: 'Sign out', exact: true }), 'Shift+Tab');
  await keyboard.press('Enter');
  await expect(page).toHaveURL('/login');
});

test('Enter in the password field asks before the account is deleted; if the field is empty, that is said first', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice({ refusals: [400] });
  const { page } = device;
  await device.startSignedUp(user);
  const password = device.field('Your password');
  const dialog = page.getByRole('dialog');
  for (const press of [
    () => password.press('Enter'),
    () => page.getByRole('button', { name: 'Delete account' }).click(),
  ]) {
    await device.visit('/account');
    await press();
    await expect(page.getByRole('alert')).toHaveText('Enter your password.');
    await expect(password).toBeFocused();
    await expect(dialog).toBeHidden();
  }
  await password.fill(user.password);
  await password.press('Enter');
  await expect(dialog).toContainText('This cannot be undone.');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await password.press('Enter');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(page).toHaveURL('/login');
});

test('the skip link comes first and leads to the content', async ({ newDevice }) => {
  const { page } = await newDevice().then(async (device) => {
    await device.visit('/login');
    return device;
  });
  const skip = page.getByRole('link', { name: 'Skip to content' });
  await page.keyboard.press('Tab');
  await expect(skip).toBeFocused();
  await expect(skip).toBeInViewport();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
});

/** Presses Tab until the element has the focus. Every stop on the way must be visible. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let pressed = 0; pressed < TABS_MAX; pressed++) {
    await page.keyboard.press(key);
    await expectVisibleFocus(page);
    if (await target.evaluate((element) => element === document.activeElement)) return;
  }
  throw new Error(`[e2e] ${TABS_MAX} times ${key} did not lead to ${String(target)}.`);
}

async function expectVisibleFocus(page: Page): Promise<void> {
  const focus = await page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null; // the browser's own bars, between the last and the first
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return { element: element.outerHTML.slice(0, 120), outlineStyle, outlineWidth };
  });
  if (focus) expect(focus).toMatchObject({ outlineStyle: 'solid', outlineWidth: '2px' });
}
