import { expect, test } from './fixtures';

test('a tab whose session was ended elsewhere learns it when it is looked at again', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await phone.visit('/sessions');
  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());
  // A look within two seconds of the last one asks nothing, so it looks until it knows.
  await expect(async () => {
    await phone.page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await expect(phone.page).toHaveURL(/\/login/, { timeout: 500 });
  }).toPass();
});

test('tabs of one browser follow each other’s sign-out and sign-in', async ({ newDevice, user }) => {
  const laptop = await newDevice();
  await laptop.startSignedUp(user);
  await laptop.visit('/sessions');
  const second = await laptop.context.newPage();
  await second.goto(new URL('/account', laptop.page.url()).href);
  await laptop.page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
  await expect(second).toHaveURL(/\/login/);
  await laptop.signIn(user);
  await expect(second).toHaveURL(/\/sessions$/);
});
