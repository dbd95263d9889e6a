import type { Page } from '@playwright/test';
import { costOf } from '../../src/lib/cost';
import { costInWords } from '../../src/lib/words/cost';
import { expect, test } from './fixtures';

test('a page shows in words what Server-Timing reports', async ({ client, user }) => {
  const cookie = await client.signUp(user);
  for (const path of ['/', '/sessions', '/account']) {
    const response = await client.get(path, cookie);
    const cost = costOf(parse(response.headers.get('server-timing') ?? ''));
    if (!cost) throw new Error(`[e2e] ${path} has no complete Server-Timing.`);
    expect(await response.text()).toContain(costInWords(cost, true));
  }
});

test('a page view by a guest costs nothing, nor does one by a signed-in user while the last confirmation is fresh; the drawing shows the same', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const drawing = device.page.getByRole('figure', { name: 'The request for this page' });
  const expectDrawn = async (...asked: string[]) => {
    for (const words of asked) await expect(drawing.getByText(words, { exact: true })).toBeVisible();
  };
  await device.visit('/');
  await expect(cost(device.page)).toContainText('0 KV reads, 0 D1 queries, $0.00');
  await expectDrawn('0 reads', '0 queries');
  await device.startSignedUp(user);
  // The sessions page was open and may have looked, which sets a confirmation.
  await device.context.clearCookies({ name: 'confirmation' });
  await device.visit('/');
  await expect(cost(device.page)).toContainText('1 KV read, 1 D1 query');
  await expect(cost(device.page)).toContainText(
    'The check: 1 KV read + 1 D1 query; this page’s content: nothing.',
  );
  await expectDrawn('1 read', '1 query');
  await device.visit('/');
  await expect(device.page.getByRole('banner')).toContainText(user.username);
  await expect(cost(device.page)).toContainText('0 KV reads, 0 D1 queries, $0.00');
  await expectDrawn('0 reads', '0 queries');
});

test('the cost line is updated when the page changes without a full load', async ({ newDevice, user }) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await device.visit('/');
  const data = page.waitForResponse((response) => response.url().includes('__data.json'));
  await page.getByRole('main').getByRole('link', { name: 'Your sessions' }).click();
  await expect(page).toHaveURL('/sessions');

  const spent = costOf(parse((await (await data).allHeaders())['server-timing'] ?? ''));
  if (!spent) throw new Error('[e2e] the data request has no complete Server-Timing.');
  expect(spent.d1Queries).toBeGreaterThan(0);
  await expect(cost(page)).toContainText(costInWords(spent, true));

  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await expect(cost(page)).toContainText(costInWords(spent, true));
});

test('an action shows counts without a price, which would be a guess', async ({ newDevice, user }) => {
  const device = await newDevice({ refusals: [400] });
  const { page } = device;
  await device.visit('/login');
  await expect(cost(page)).toContainText('per million such pages');
  await device.submitUser(user, 'Sign in');
  await expect(page.getByRole('alert')).toBeVisible();
  await expect(cost(page)).toContainText(/\d D1 quer/);
  await expect(cost(page)).not.toContainText('per million');
});

function cost(page: Page) {
  return page.getByRole('complementary', { name: 'Cost' });
}

/** Returns `name;desc="1";dur=0.5, …` as entries like the browser's. */
function parse(header: string): { name: string; description: string }[] {
  return [...header.matchAll(/([\w-]+);desc="(\d+)"/g)].map(([, name = '', description = '']) => ({
    name,
    description,
  }));
}
