import { expect, test } from './fixtures';

test('the race runs without scripts', async ({ newDevice }) => {
  const { page } = await newDevice();
  await page.goto('/race');
  await page.getByRole('button', { name: 'Sign both phones in' }).click();
  await page.getByRole('button', { name: 'End both sessions' }).click();
  const ours = page.getByRole('region', { name: 'This app' });
  await expect(ours.getByRole('status').first()).toHaveText('Refused');
  await page.getByRole('link', { name: 'Look again' }).click();
  await expect(page.getByRole('region', { name: 'Sessions in KV alone' })).toContainText('Still open');
});
