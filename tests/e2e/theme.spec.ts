import { expect, test } from './fixtures';

test('the theme follows the system until one is chosen; the choice persists and applies from the first paint', async ({
  newDevice,
}) => {
  const device = await newDevice();
  const { page } = device;
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await device.visit('/login');
  const light = await ground();
  await page.emulateMedia({ colorScheme: 'dark' });
  const dark = await ground();
  expect(dark).not.toBe(light);

  const stored = page.waitForResponse((response) => response.url().endsWith('/theme'));
  await page.getByRole('button', { name: 'Light' }).click();
  expect(await ground()).toBe(light);
  await stored;
  // The server writes the theme into the page, so that nothing has to wait for a script.
  expect(await (await page.request.get('/login')).text()).toContain('<html lang="en-GB" data-theme="light">');
  await device.visit('/login');
  expect(await ground()).toBe(light);
  await expect(page.getByRole('button', { name: 'Light (chosen)' })).toBeVisible();
});
