import { expect, test } from './fixtures';

test('all errors are shown at once, and the meter shows nothing for an emptied field', async ({
  newDevice,
}) => {
  const device = await newDevice({ refusals: [400] });
  await device.visit('/signup');
  await device.submitUser({ username: 'a b!', password: 'password123' }, 'Sign up');
  const alerts = device.page.getByRole('main').getByRole('alert');
  await expect(alerts).toHaveText([/begin with a letter or digit/, /most used passwords/]);
  await expect(device.field('Username')).toHaveValue('a b!');
  await expect(device.field('Password')).toHaveValue('');
  await expect(device.page.getByText('Easy to guess')).toHaveCount(0);
});

test('signing up signs this device in and lists it', async ({ newDevice, user }) => {
  const device = await newDevice();
  await device.signUp(user);

  await expect(device.rows()).toHaveCount(1);
  const row = device.row(await device.sessionId());
  await expect(row).toContainText(/Chrome \d+ on /);
  await expect(row).toContainText('Local');
  await expect(row).toContainText('Signed in');
  await expect(device.page.getByRole('banner')).toContainText(user.username);
});

test('a taken username is refused and kept, the password is not', async ({ newDevice, newUser }) => {
  const [user, other] = [newUser(), newUser()];
  await (await newDevice()).startSignedUp(user);

  const device = await newDevice();
  await device.visit('/signup');
  // Names are compared case-insensitively.
  const sameName = user.username.toUpperCase();
  await device.submitUser({ username: sameName, password: other.password }, 'Sign up');

  await expect(device.page.getByRole('alert')).toHaveText(/taken/);
  await expect(device.field('Username')).toHaveValue(sameName);
  await expect(device.field('Username')).toHaveAccessibleDescription(/taken/);
  await expect(device.field('Password')).toHaveValue('');
  expect(await device.hasSessionCookie()).toBe(false);
});

test('each field with wrong input gets a message', async ({ newDevice }) => {
  const device = await newDevice();
  await device.visit('/signup');
  await device.submitUser({ username: 'a b', password: 'short' }, 'Sign up');

  await expect(device.page.getByRole('alert')).toHaveCount(2);
  await expect(device.field('Username')).toHaveAccessibleDescription(/letters a–z, digits/);
  await expect(device.field('Password')).toHaveAccessibleDescription(/at least 8 characters/);
  await expect(device.field('Username')).toHaveValue('a b');
});

test('a signed-in user is redirected from the sign-up and sign-in pages to the sessions', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  for (const path of ['/signup', '/login']) {
    await device.visit(path);
    await expect(device.page).toHaveURL('/sessions');
  }
});
