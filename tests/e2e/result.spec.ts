/** The result of an action is shown where the reader is, in the flow of the page: visible at once, covering nothing, and for some seconds. */
import type { Page } from '@playwright/test';
import type { Device } from './device';
import { expect, test } from './fixtures';

const PHONE = { width: 390, height: 740 };
const SHORT_DESKTOP = { width: 1280, height: 420 };

for (const size of [PHONE, SHORT_DESKTOP]) {
  test(`the result of an action is visible at once and covers no control, wherever the page is scrolled, at ${size.width} px`, async ({
    newDevice,
    user,
  }) => {
    const device = await newDevice();
    const { page } = device;
    await page.setViewportSize(size);
    await device.startSignedUp(user);
    await page.getByRole('button', { name: 'Add sample devices' }).click();
    await expectOverNothing(page, 'Sample devices added.');
    await device.visit('/sessions');
    await device
      .rows()
      .last()
      .getByRole('button', { name: /^End session/ })
      .click();
    await expectOverNothing(page, /Ended: Safari on iPad/);
    await rename(device, 'Old phone');
    await expectOverNothing(page, 'Session named');
    await page.getByRole('button', { name: 'End all 3 others' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End 3 sessions' }).click();
    await expectOverNothing(page, 'Ended 3 other sessions.');
    await device.changePassword(user, `${user.password} new`);
    await expectOverNothing(page, 'Password changed.');
  });
}

test('at an address with a slash at its end, an action says only what it did', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await device.visit('/sessions/');
  await page.getByRole('button', { name: 'Add sample devices' }).click();
  await expect(device.rows()).toHaveCount(5);
  await expect(page.getByText('Sample devices added.').first()).toBeVisible();
  await expect(page.getByText('could not be loaded again')).toHaveCount(0);
});

test('the message of one ended session takes the place of its row', async ({ newDevice, user }) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await page.getByRole('button', { name: 'Add sample devices' }).click();
  await expect(device.rows()).toHaveCount(5);
  await device.visit('/sessions');
  const [, , gone, next] = await device.rows().all();
  const nextId = await next?.getAttribute('data-session-id');
  await gone?.getByRole('button', { name: /^End session/ }).click();
  const message = page.locator('.result');
  await expect(message).toContainText('Ended: Edge on Windows, São Paulo, Brazil.');
  const row = device.row(nextId ?? '');
  await expect(row.getByRole('heading')).toBeFocused();
  expect(await message.evaluate((node) => node.nextElementSibling?.getAttribute('data-session-id'))).toBe(
    nextId,
  );
});

test('the result of an action is shown for some seconds, and longer while the pointer or the focus is on it', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await page.clock.install();
  await device.startSignedUp(user);
  await rename(device, 'Desk');
  const message = page.locator('.result');
  const said = page.getByRole('status').filter({ hasText: '“Desk”' });
  await expect(said).toHaveCount(1);
  await message.hover();
  await page.clock.runFor(20_000);
  await expect(message).toContainText('“Desk”');
  await page.mouse.move(0, 0);
  await page.clock.runFor(9_000);
  await expect(message).toHaveCount(0);
  await expect(said).toHaveCount(0);

  await rename(device, 'Table');
  const close = page.getByRole('button', { name: 'Close this message' });
  await close.focus();
  await page.clock.runFor(20_000);
  await expect(message).toContainText('“Table”');
  await close.click();
  await expect(message).toHaveCount(0);
});

async function rename({ page }: Device, name: string): Promise<void> {
  await page.getByText('Rename').last().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('button', { name: 'Save' }).click();
}

/** Expects that the result covers no control at any scroll position. */
async function expectOverNothing(page: Page, text: string | RegExp): Promise<void> {
  const message = page.locator('.result').filter({ hasText: text });
  await expect(message).toBeInViewport({ ratio: 1 });
  // The previous result is gone.
  await expect(page.locator('.result')).toHaveCount(1);
  const covered = () =>
    message.evaluate((node) => {
      const others = [...document.querySelectorAll('a, button, summary, input, textarea')].filter(
        (control) => control.checkVisibility() && !node.contains(control),
      );
      const found = new Set<string>();
      const end = document.documentElement.scrollHeight - innerHeight;
      for (let part = 0; part <= 10; part += 1) {
        scrollTo(0, (end * part) / 10);
        const at = node.getBoundingClientRect();
        for (const control of others) {
          const one = control.getBoundingClientRect();
          const overlaps =
            one.top < at.bottom && at.top < one.bottom && one.left < at.right && at.left < one.right;
          if (overlaps) found.add(control.outerHTML.slice(0, 80));
        }
      }
      return [...found];
    });
  // Rows that make room cover each other for a moment.
  await expect.poll(covered).toEqual([]);
}
