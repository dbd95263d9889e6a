import { expect, test } from './fixtures';

const FIREFOX = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';

const ISO_8601 = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

test('the activity page lists what happened, newest first, and which device did it', async ({
  newDevice,
  user,
}) => {
  const laptop = await newDevice();
  const phone = await newDevice({ userAgent: FIREFOX });
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());

  await laptop.page.getByRole('link', { name: 'Activity' }).click();
  await expect(laptop.page).toHaveURL('/activity');
  const events = laptop.page.locator('[data-event]');
  await expect(events).toHaveCount(3);
  await expect(events.nth(0)).toContainText('Ended a session');
  await expect(events.nth(1)).toContainText('Signed in from a new device');
  await expect(events.nth(1)).toContainText('Firefox 140 on Windows');
  await expect(events.nth(2)).toContainText('Signed up');
});

test('a wrong password at sign-in is shown to the owner of the account, and to nobody else', async ({
  client,
  newDevice,
  newUser,
  user,
}) => {
  const owner = await newDevice();
  await owner.startSignedUp(user);
  const neighbour = await client.signUp(newUser());
  expect((await client.post('/login', { ...user, password: 'not the password' })).status).toBe(400);

  const tried = 'Somebody tried to sign in with a wrong password';
  await owner.visit('/activity');
  await expect(owner.page.getByText(tried)).toBeVisible();
  const activity = await (await client.get('/activity', neighbour)).text();
  expect(activity.match(/data-event/g)).toHaveLength(1);
  expect(activity).not.toContain(tried);
});

test('the download has the account, its sessions and its activity, and no secret', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const { token } = await device.sessionCookie();
  await device.visit('/account');
  const downloaded = device.page.waitForEvent('download');
  await device.page.getByRole('link', { name: 'Download my data' }).click();
  const download = await downloaded;
  expect(download.suggestedFilename()).toBe(`${user.username}-data.json`);

  const response = await device.page.request.get('/account/data');
  const text = await response.text();
  expect(JSON.parse(text)).toMatchObject({
    account: { username: user.username, createdAt: expect.stringMatching(ISO_8601) },
    sessions: [{ current: true, signedInAt: expect.stringMatching(ISO_8601) }],
    activity: [{ type: 'signed-up', at: expect.stringMatching(ISO_8601) }],
  });
  expect(text).toContain('\n  "account": {\n');
  expect(text).not.toContain(token);
  expect(text).not.toContain('password');

  // If the session has ended, the link leads to the sign-in page and from there back to the account page.
  await device.context.clearCookies();
  await device.page.getByRole('link', { name: 'Download my data' }).click();
  await expect(device.page).toHaveURL('/login?redirectTo=%2Faccount');
});
