import { expect, test } from './fixtures';
import { addSessions } from './many-sessions';

test('a hundred sessions come in groups by last use, and can be searched', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await addSessions(storage, (await device.sessionCookie()).userId, 100);
  await device.visit('/sessions');

  // This device first; the oldest group is closed, so the page is short; each group says how many it has.
  await expect(device.rows()).toHaveCount(101);
  await expect(device.rows().first()).toHaveAttribute('data-current');
  await expect(device.rows().last()).toBeHidden();
  expect(await page.evaluate(() => document.documentElement.scrollHeight)).toBeLessThan(4_000);
  const groups = page
    .getByRole('main')
    .getByRole('group')
    .filter({ has: page.locator('[data-session-id]') });
  const counts = [
    /^Active in the last 24 hours \(4\)/,
    /^Active in the last 7 days \(24\)/,
    /before that \(72\)/,
  ];
  await expect(groups).toHaveText(counts);
  const times = await device.rows().locator('li:last-child time').evaluateAll(datesOf);
  expect(times).toEqual(times.toSorted().reverse());

  await page.getByRole('searchbox', { name: 'Find a session' }).fill('firefox KYOTO');
  await expect(device.rows()).toHaveCount(1 + 17);
  await expect(page.getByRole('status').filter({ hasText: '17 of 100 sessions' })).toBeVisible();
  await expect(device.rows().last()).toContainText(/Firefox 146 on Linux.*Kyoto, Japan/s);
  await page.getByRole('searchbox').fill('netscape');
  await expect(page.getByText('No session matches')).toBeVisible();
  await page.getByRole('searchbox').fill('');
  await expect(device.rows()).toHaveCount(101);

  // The last of a group ends: the focus is on the first of the next.
  const next = groups.nth(1).getByRole('heading').first();
  const nextText = await next.innerText();
  await groups.first().getByRole('button', { name: 'End session' }).last().click();
  await expect(device.rows()).toHaveCount(100);
  await expect(page.locator(':focus')).toHaveText(nextText);
  await expect(next).toBeFocused();
});

function datesOf(elements: Element[]): string[] {
  return elements.map((element) => element.getAttribute('datetime') ?? '');
}
