import { expect, test } from './fixtures';

test('the records page shows the user’s own records as they are stored', async ({
  client,
  layout,
  newDevice,
  storage,
  user,
}) => {
  const laptop = await newDevice();
  await laptop.startSignedUp(user);
  await client.signIn(user);
  const { userId } = await laptop.sessionCookie();

  await laptop.visit('/kv');
  const stored = await storage.recordsOf(userId);
  const articles = laptop.page.getByRole('main').getByRole('article');
  await expect(articles).toHaveCount(layout === 'index' ? 3 : 2);
  expect(stored).toHaveLength(await articles.count());
  for (const { key, value } of stored) {
    const article = articles.filter({ has: laptop.page.getByText(key, { exact: true }) });
    await expect(article.locator('code.stored').getByText(value, { exact: true })).toHaveCount(1);
  }
  await expect(articles.first()).toContainText('This session');
});

test('the records page contains no token, and nothing of any other user', async ({
  client,
  newUser,
  user,
}) => {
  const own = await client.signUp(user);
  const neighbour = await client.signUp(newUser());
  const [userId = '', token = ''] = own.split('.');

  const html = await (await client.get('/kv', own)).text();
  expect(html).toContain(userId);
  expect(html).not.toContain(token);
  expect(html).not.toContain(neighbour.split('.')[0]);
});

test('if there are many records, the first are shown, and always the current session’s', async ({
  layout,
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();
  const own = (await storage.recordsOf(userId)).filter(({ key }) => key.startsWith('session:'));
  // All of them come before it in the order of the keys.
  const earlier = own.flatMap((record) =>
    Array.from({ length: 60 }, (_, index) => {
      const id = `${userId}.--${String(index).padStart(41, '0')}`;
      return { ...record, key: `session:${id}`, value: record.value.replace(/"id":"[^"]*"/, `"id":"${id}"`) };
    }),
  );
  await storage.putBack(earlier);
  await device.visit('/kv');
  await expect(device.page.getByText('The first 50 of your records')).toBeVisible();
  const articles = device.page.getByRole('main').getByRole('article');
  await expect(articles.first()).toContainText('This session');
  await expect(articles).toHaveCount(layout === 'index' ? 52 : 51);
});
