/** What a phone needs, measured at 360 px. */
import type { Page } from '@playwright/test';
import { sidewaysOverflow } from './axe';
import type { Device } from './device';
import { expect, test } from './fixtures';
import type { Storage } from './storage';

const PHONE = { width: 360, height: 740 };
const CONTROL_MIN_PIXELS = 44;
const ROW_MAX_PIXELS = 130;
const ACTIVE_PERIOD_MILLISECONDS = 60 * 60_000;
const LONG_CITY = 'Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch 2';

test('every control is 44 px high, a row is under 130 px, and a place of 60 letters wraps', async ({
  newDevice,
  storage,
  user,
}) => {
  const [phone, other, third] = [await newDevice(), await newDevice(), await newDevice()];
  const { page } = phone;
  await page.setViewportSize(PHONE);
  await phone.startSignedUp(user);
  await other.startSignedIn(user);
  await third.startSignedIn(user);
  await phone.visit('/sessions');
  await expect(phone.rows()).toHaveCount(3);
  for (const path of ['/sessions', '/account']) {
    await phone.visit(path);
    expect(await lowControls(page), path).toEqual([]);
  }
  // A time in minutes is the longest.
  const at = Date.now() - 25 * 60_000;
  await rewriteRecords(storage, phone, { created_at: at, active_expires: at + ACTIVE_PERIOD_MILLISECONDS });
  await phone.visit('/sessions');
  await expect(phone.rows().last()).toContainText('Last active 25 minutes ago');
  for (const row of await phone.rows().all()) {
    expect((await row.boundingBox())?.height).toBeLessThan(ROW_MAX_PIXELS);
  }
  await page.getByText('Rename').first().click();
  // It is on top of the rows below it.
  expect(await lowControls(page, 'details[open]'), 'the form for a name').toEqual([]);

  expect(LONG_CITY).toHaveLength(60);
  await rewriteRecords(storage, phone, { place: { country: 'GB', city: LONG_CITY } });
  await phone.visit('/sessions');
  await expect(phone.rows().first()).toContainText(LONG_CITY);
  expect(await sidewaysOverflow(page)).toBeLessThanOrEqual(0);
});

test('the buttons of a dialog are in one line, or both as wide as the dialog', async ({
  newDevice,
  user,
}) => {
  const [phone, other] = [await newDevice(), await newDevice()];
  const { page } = phone;
  await phone.startSignedUp(user);
  await other.startSignedIn(user);
  for (const width of [320, 360, 1280]) {
    await page.setViewportSize({ width, height: 740 });
    await phone.visit('/sessions');
    for (const name of ['End the other session', 'Sign out everywhere']) {
      await page.getByRole('main').getByRole('button', { name }).click();
      const dialog = page.getByRole('dialog');
      const [first, second] = await dialog
        .locator('.buttons > *')
        .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON() as DOMRect));
      const isOneLine = first?.top === second?.top;
      const isFull = first?.width === second?.width && (first?.width ?? 0) > 200;
      expect(isOneLine || isFull, `${name}, ${width} px`).toBe(true);
      await dialog.getByRole('button', { name: 'Cancel' }).click();
    }
  }
});

/** Returns all controls that are too low for a finger. Links inside a sentence are as high as its lines. */
function lowControls(page: Page, part = ':is(main, header, footer)'): Promise<string[]> {
  return page.evaluate(
    ({ min, part }) => {
      const inSentence = (element: Element) =>
        getComputedStyle(element).display === 'inline' &&
        element.parentElement?.textContent?.trim() !== element.textContent?.trim() &&
        !element.closest('.action');
      const isHit = (element: Element, x: number, y: number) =>
        element.contains(document.elementFromPoint(x, y));
      return [...document.querySelectorAll(`${part} :is(a, button, summary, input)`)]
        .filter((element) => element.checkVisibility() && !inSentence(element))
        .flatMap((element) => {
          element.scrollIntoView({ block: 'center' });
          const { top, bottom, left, width } = element.getBoundingClientRect();
          const x = left + width / 2;
          let [up, down] = [(top + bottom) / 2, (top + bottom) / 2];
          while (isHit(element, x, up - 1)) up -= 1;
          while (isHit(element, x, down + 1)) down += 1;
          return down - up + 1 < min - 1 ? [`${element.outerHTML.slice(0, 80)}: ${down - up + 1}`] : [];
        });
    },
    { min: CONTROL_MIN_PIXELS, part },
  );
}

/** Changes what the records of this user's sessions say. */
async function rewriteRecords(storage: Storage, device: Device, changes: object): Promise<void> {
  const { userId } = await device.sessionCookie();
  const records = (await storage.recordsOf(userId)).filter(({ key }) => key.startsWith('session:'));
  await storage.putBack(
    records.map((record) => {
      const value = { ...(JSON.parse(record.value) as object), ...changes };
      return { ...record, value: JSON.stringify(value), metadata: value };
    }),
  );
}
