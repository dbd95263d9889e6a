/** What a visitor must see at first sight of the pages, and what not. */
import type { Locator } from '@playwright/test';
import { expect, test } from './fixtures';
import { addSessions } from './many-sessions';

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

test('after a long absence a sentence says how many sessions are new, and since when, and no row is marked', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  const { page, context } = device;
  await device.startSignedUp(user);
  const { userId, domain } = await device.sessionCookie();
  await addSessions(storage, userId, 12);
  const before = Date.now() - 40 * DAY_MILLISECONDS;
  const visits = { name: 'visits', value: `${userId}.${before}.${before}`, domain, path: '/sessions' };
  await context.addCookies([visits]);
  await device.visit('/sessions');
  await expect(page.getByText('12 new since your last visit')).toContainText('40 days ago');
  await expect(page.getByRole('heading', { name: /New since your last visit/ })).toHaveCount(0);
  // The search has a visible label.
  await expect(page.getByText('Find a session', { exact: true })).toBeVisible();
});

test('the button that ends all sessions is red, and those in the rows are not', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  const main = laptop.page.getByRole('main');
  const danger = await colourOf(main.getByRole('button', { name: 'End the other session' }));
  for (const name of [/^End session/, 'Sign out']) {
    expect(await colourOf(main.getByRole('button', { name, exact: true }))).not.toBe(danger);
  }
  expect(await colourOf(main.getByRole('button', { name: 'Sign out everywhere' }))).toBe(danger);
});

test('the home page says how long an ended session is greeted and that the adapter alone does not revoke, links to the source, and links signed-in users to their account’s pages', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.visit('/');
  const main = page.getByRole('main');
  await expect(main).toContainText('No page greets it after 60 seconds.');
  await expect(main).toContainText('By itself it revokes no faster than KV does.');
  await expect(main).toContainText('To revoke at once, take the kit');
  await expect(main.getByRole('link', { name: 'The source' })).toHaveAttribute(
    'href',
    'https://example.com/source',
  );
  const pages = main.getByRole('navigation', { name: 'Your account' });
  await expect(pages).toHaveCount(0);
  await device.startSignedUp(user);
  await device.visit('/');
  await expect(pages.getByRole('link')).toHaveText(['Sessions', 'Activity', 'Account', 'Records']);
});

test('records are titled by device and place, in the order of the sessions page, with only the current one open', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await page.getByRole('button', { name: 'Add sample devices' }).click();
  await expect(device.rows()).toHaveCount(5);
  await device.visit('/kv');
  const records = page.getByRole('main').getByRole('article');
  await expect(records.getByRole('heading')).toHaveText([
    /^Chrome \d+ on \w+, Local$/,
    'Safari on iPhone, Lisbon, Portugal',
    'Edge on Windows, São Paulo, Brazil',
    'Firefox on Android, Berlin, Germany',
    'Safari on iPad, Kyoto, Japan',
  ]);
  await expect(page.locator('article details[open]')).toHaveCount(1);
  await expect(records.first().locator('pre')).toContainText(/^\{\n {2}"id": /);
});

const colourOf = (button: Locator) => button.evaluate((element) => getComputedStyle(element).color);
