import AxeBuilder from '@axe-core/playwright';
import { BADGES } from '../../src/lib/badges';
import { expect, test } from './fixtures';

const PAGES = ['/', '/sessions', '/activity', '/account', '/kv'];

test('a name that cannot be shown is refused beside its field and stays in it; other scripts are accepted', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice({ refusals: [400] });
  await device.startSignedUp(user);
  const row = device.page.locator('[data-current]');
  await row.getByText('Rename').click();
  const field = row.getByRole('textbox', { name: 'Name' });
  for (const name of ['This device', 'a\u202eb', '\u200b', 'Nеw']) {
    await field.fill(name);
    await row.getByRole('button', { name: 'Save' }).click();
    await expect(row.getByRole('alert')).toBeVisible();
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveValue(name);
    await expect(field).toBeFocused();
  }
  await expect(device.page).toHaveTitle(/^Error: /);
  const { violations } = await new AxeBuilder({ page: device.page }).analyze();
  expect(violations).toEqual([]);
  await field.fill('המחשב של אבא 7');
  await row.getByRole('button', { name: 'Save' }).click();
  await expect(row.getByRole('heading').locator('bdi')).toHaveText('המחשב של אבא 7');
  await expect(row.getByRole('alert')).toHaveCount(0);
});

test('no page shows a stored name as a badge or lets it turn a line', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();
  const records = (await storage.recordsOf(userId)).filter(({ key }) => key.startsWith('session:'));
  const hostile = records.map((record) => {
    const value = {
      ...(JSON.parse(record.value) as object),
      name: 'Kü\u202eche\u200b',
      place: { country: 'DE', city: '\u202eBer\u0000lin' },
    };
    return { ...record, value: JSON.stringify(value), metadata: value };
  });
  await storage.putBack(hostile);
  for (const path of PAGES) {
    await device.visit(path);
    const html = await device.page.content();
    expect(
      html.match(/[\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164]|\p{Cc}(?<![\t\n\r])/gu),
      path,
    ).toBeNull();
    for (const badge of await device.page.locator('.badge').allInnerTexts())
      expect(
        BADGES.some((one) => badge.startsWith(one)),
        badge,
      ).toBe(true);
  }
  await device.visit('/sessions');
  await expect(device.page.locator('[data-current] h3 bdi')).toHaveText('Küche');
  await expect(device.page.locator('[data-current]')).toContainText('Berlin');
});
