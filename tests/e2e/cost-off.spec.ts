import { expect, test } from './fixtures';

// The server of the `index` layout runs with SHOW_COST=off.

test('with SHOW_COST=off no response reports its cost', async ({ newDevice, user }) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  const response = await device.visit('/');
  expect(response?.headers()).not.toHaveProperty('server-timing');
  await expect(page.getByRole('complementary', { name: 'Cost' })).toHaveCount(0);
  // The drawing then shows the operations of an account page.
  await expect(page.getByRole('figure', { name: 'The request for an account page' })).toContainText(
    '1 query',
  );
  const data = page.waitForResponse((answer) => answer.url().includes('__data.json'));
  await page.getByRole('main').getByRole('link', { name: 'Your sessions' }).click();
  expect(await (await data).allHeaders()).not.toHaveProperty('server-timing');
  await expect(page.getByText('per million')).toHaveCount(0);
});
