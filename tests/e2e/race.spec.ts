import { expectAccessible } from './axe';
import { expect, test } from './fixtures';

test('both sessions end at once: ours is refused, the one in KV alone continues, with a clock', async ({
  newDevice,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.visit('/race');
  await expectAccessible(page);
  await page.getByRole('button', { name: 'Sign both phones in' }).click();
  const naive = page.getByRole('region', { name: 'Sessions in KV alone' });
  const ours = page.getByRole('region', { name: 'This app' });
  await expect(naive.getByRole('status').first()).toHaveText('Open');
  await expect(ours.getByRole('status').first()).toHaveText('Open');
  await expectAccessible(page);

  await page.getByRole('button', { name: 'End both sessions' }).click();
  await expect(ours.getByRole('status').first()).toHaveText('Refused');
  await expect(naive.getByRole('status').first()).toHaveText('Still open');
  await expect(naive).toContainText(/[1-9]\d* s/);
  await expectAccessible(page);
  // The race signed nobody in to the app.
  expect(await device.hasSessionCookie()).toBe(false);
  await expect(page.getByRole('link', { name: 'How KV works' })).toHaveAttribute(
    'href',
    'https://developers.cloudflare.com/kv/concepts/how-kv-works/#consistency',
  );
});

test('nothing on the records page opens a session, and the page says why', async ({ newDevice, user }) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();
  const sessionId = await device.sessionId();
  await device.visit('/kv');
  const result = page.getByRole('region', { name: 'Try to steal it' }).getByRole('status');
  await page.getByRole('button', { name: 'Try to get in' }).click();
  await expect(result).toHaveText('Paste a key or a value first.');
  await page.getByLabel('A key or a value').fill(`session:${sessionId}`);
  await page.getByRole('button', { name: 'Try to get in' }).click();
  await expect(result).toContainText('Refused before any store was asked');
  await expect(result).toContainText('hashed once more');
  expect(sessionId.startsWith(userId)).toBe(true);
  await expectAccessible(page);
});

test('the first screen says what to try; sample devices are added and removed by a click each', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await expect(page.getByText(`Open a private window and sign in as ${user.username}`)).toBeVisible();
  await page.getByRole('button', { name: 'Add sample devices' }).click();
  await expect(device.rows()).toHaveCount(1 + 4);
  await page.getByRole('button', { name: 'Remove the sample devices' }).click();
  await expect(device.rows()).toHaveCount(1);
});
