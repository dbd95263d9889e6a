import type { Locator, Page } from '@playwright/test';
import { expectAccessible } from './axe';
import { expect, test } from './fixtures';
import { addSessions } from './many-sessions';

test('a hundred sessions are grouped by last use and can be searched', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await addSessions(storage, (await device.sessionCookie()).userId, 100);
  await device.visit('/sessions');

  // This device is first. The oldest group is closed, so that the page is short. Each group shows its number of sessions.
  await expect(device.rows()).toHaveCount(101);
  await expect(device.rows().first()).toHaveAttribute('data-current');
  await expect(device.rows().last()).toBeHidden();
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(4_000);
  const groups = page
    .getByRole('main')
    .getByRole('group')
    .filter({ has: page.locator(':scope > ul') });
  const counts = [
    /^Active in the last 24 hours \(4\)/,
    /^Active in the last 7 days \(24\)/,
    /before that \(72\)/,
  ];
  await expect(groups).toHaveText(counts);
  // A group is ordered by last use. Similar sessions of one device form one row that can be opened.
  const alike = alikeIn(page, 'Firefox on Linux', 'Kyoto, Japan');
  for (const list of [groups.first(), alike]) {
    const times = await list.locator('[data-session-id] li:last-child time').evaluateAll(datesOf);
    expect(times).toHaveLength(4);
    expect(times).toEqual(times.toSorted().reverse());
  }
  await expect(alike.locator('[data-session-id]').first()).toBeHidden();
  await expect(groups.nth(1).locator('> ul > li')).toHaveCount(6);
  await expectAccessible(page);
  await alike.locator('summary').first().click();
  await expect(alike.locator('[data-session-id]').first()).toBeVisible();

  await page.getByRole('searchbox', { name: 'Find a session' }).fill('firefox KYOTO');
  await expect(device.rows()).toHaveCount(1 + 17);
  await expect(page.getByRole('status').filter({ hasText: '17 of 100 sessions' })).toBeVisible();
  await expect(device.rows().last()).toContainText(/Firefox 146 on Linux.*Kyoto, Japan/s);
  await page.getByRole('searchbox').fill('netscape');
  await expect(page.getByText('No session matches')).toBeVisible();
  await page.getByRole('searchbox').fill('');
  await expect(device.rows()).toHaveCount(101);

  // The last session of a group ends, and the focus moves to the first one of the next group.
  const next = groups.nth(1).locator('li summary').first();
  await groups.first().getByRole('button', { name: 'End session' }).last().click();
  await expect(device.rows()).toHaveCount(100);
  await expect(next).toBeFocused();
});

test('a device’s similar sessions, a group and a search result can each be ended as a whole, and no other session ends', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await addSessions(storage, (await device.sessionCookie()).userId, 100);
  await device.visit('/sessions');
  const main = page.getByRole('main');
  const end = async (button: Locator, count: number) => {
    await button.click();
    const dialog = page.getByRole('dialog', { name: `End these ${count} sessions?` });
    await dialog.getByRole('button', { name: `End ${count} sessions` }).click();
    await expect(main.getByRole('status').filter({ hasText: `Ended ${count} sessions.` })).toBeVisible();
  };

  const alike = alikeIn(page, 'Firefox on Linux', 'Kyoto, Japan');
  await alike.locator('summary').first().click();
  await end(alike.getByRole('button', { name: 'End these 4' }), 4);
  await expect(device.rows()).toHaveCount(97);
  await expect(main.getByRole('heading', { name: 'Other sessions' })).toBeFocused();

  await page.getByRole('searchbox').fill('kyoto');
  await end(main.getByRole('button', { name: 'End these 46' }), 46);
  await expect(device.rows()).toHaveCount(1);
  await page.getByRole('searchbox').fill('');
  await expect(device.rows()).toHaveCount(51);

  await end(main.getByRole('button', { name: 'End these 2', exact: true }), 2);
  await expect(device.rows()).toHaveCount(49);
  await device.visit('/sessions');
  await expect(device.rows()).toHaveCount(49);
});

/** Returns the first row of similar sessions of a device. */
function alikeIn(page: Page, device: string, place: string): Locator {
  const summary = page.locator(':scope > summary', { hasText: device }).filter({ hasText: place });
  return page.locator('details').filter({ has: summary }).first();
}

function datesOf(elements: Element[]): string[] {
  return elements.map((element) => element.getAttribute('datetime') ?? '');
}
