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
