import { expect, test } from './fixtures';

test('the records page shows one’s own records as they are stored', async ({
  layout,
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.signUp(user);
  await phone.signIn(user);
  const { userId } = await laptop.sessionCookie();

  await laptop.visit('/kv');
  const stored = await storage.recordsOf(userId);
  const articles = laptop.page.getByRole('main').getByRole('article');
  await expect(articles).toHaveCount(layout === 'index' ? 3 : 2);
  expect(stored).toHaveLength(await articles.count());
  for (const { key, value } of stored) {
    const article = articles.filter({ has: laptop.page.getByText(key, { exact: true }) });
    await expect(article.getByText(value, { exact: true })).toBeVisible();
  }
  await expect(articles.first()).toContainText('This session');
});

test('the records page has no token, and nothing of anyone else', async ({ newDevice, newUser, user }) => {
  const [device, other] = [await newDevice(), await newDevice()];
  await device.signUp(user);
  await other.signUp(newUser());
  const own = await device.sessionCookie();
  const neighbour = await other.sessionCookie();

  const html = await (await device.page.request.get('/kv')).text();
  expect(html).toContain(own.userId);
  expect(html).not.toContain(own.token);
  expect(html).not.toContain(neighbour.userId);
});

test('of many records the first are shown, and always that of this session', async ({
  layout,
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();
  const own = (await storage.recordsOf(userId)).filter(({ key }) => key.startsWith('session:'));
  // All of them in front of it in the order of the keys.
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
