import type { Device, User } from './device';
import { expect, test } from './fixtures';
import { answerWith, DATA, FAILURES, LOOK, lookAgain, type Given } from './look';

const problem = (status: number, more: object = {}): Given => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ type: 'about:blank', title: 'x', status, detail: 'x', ...more }),
});
const signedIn = (username: string): Given => ({
  status: 200,
  contentType: 'application/json',
  body: JSON.stringify({ username, userId: 'x', until: Date.now() + 60_000 }),
});

test('a tab whose session was ended elsewhere says so at its next look, and shows nothing private', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice({ refusals: [401] })];
  await laptop.startSignedUp(user);
  await phone.page.clock.install();
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await laptop.endSession(await phone.sessionId());
  await lookAgain(phone.page);
  await expect(phone.page.getByRole('alert')).toHaveText(
    /This session was ended from Chrome \d+ on \w+, (just now|1 minute ago)\./,
  );
  await expect(phone.page.getByText(user.username)).toHaveCount(0);
  await expect(phone.rows()).toHaveCount(0);
  await expect(phone.page.getByRole('banner').getByRole('button', { name: 'Sign out' })).toHaveCount(0);
  await phone.page.getByRole('main').getByRole('link', { name: 'Sign in' }).click();
  await phone.submitUser(user, 'Sign in');
  await expect(phone.page).toHaveURL('/sessions');
});

for (const event of ['focus', 'online']) {
  test(`a tab whose session was ended elsewhere says so as soon as its window gets the event "${event}"`, async ({
    newDevice,
    user,
  }) => {
    const { page } = await signedUp(newDevice({ refusals: [401] }), user);
    await answerWith(page, LOOK, problem(401));
    // Later than the pause between two events of one return, and much earlier than the next regular look.
    await page.clock.fastForward(3_000);
    await page.evaluate((type) => window.dispatchEvent(new Event(type)), event);
    await expect(page.getByRole('alert')).toHaveText('Your session has ended.');
  });
}

test('when a look finds the session ended, a message with the device and the time replaces the page', async ({
  newDevice,
  user,
}) => {
  const { page } = await signedUp(newDevice({ refusals: [401] }), user);
  const device = { browser: 'Firefox', system: 'Windows', kind: 'desktop' };
  const ended = { type: 'session-revoked', device, place: {}, at: Date.now() - 125_000 };
  await answerWith(page, LOOK, problem(401, { ended }));
  await lookAgain(page);
  await expect(page.getByRole('alert')).toHaveText(
    /This session was ended from Firefox on Windows, [23] minutes ago\./,
  );
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
});

test('when a look finds another user in this browser, the page is reloaded', async ({ newDevice, user }) => {
  const { page } = await signedUp(newDevice(), user);
  await answerWith(page, LOOK, signedIn('somebody-else'));
  const loaded = page.waitForRequest(DATA);
  await lookAgain(page);
  await loaded;
});

test('when a look finds a cookie that this browser has replaced, it looks again at once, and only once', async ({
  newDevice,
  user,
}) => {
  const device = await signedUp(newDevice({ refusals: [409] }), user);
  const looks = await answerWith(device.page, LOOK, problem(409));
  await lookAgain(device.page);
  await expect.poll(() => looks.count).toBe(2);
  await expect(device.page.getByRole('heading', { level: 1 })).toHaveText('Sessions');
  await lookAgain(device.page);
  await expect.poll(() => looks.count).toBe(4);
});

test('the same user, missing proof, a store that is down, and foreign responses change nothing', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice({ refusals: [401, 403, 429, 502, 503], unanswered: true });
  const { page } = device;
  await page.clock.install();
  await device.startSignedUp(user);
  await device.visit('/account');
  await device.field('Current password').fill('half a pass');
  const loads = await answerWith(page, DATA, 'none');
  const given = {
    'the same user': signedIn(user.username),
    403: problem(403),
    503: problem(503),
    ...FAILURES,
  };
  for (const [name, answer] of Object.entries(given)) {
    const looks = await answerWith(page, LOOK, answer);
    await lookAgain(page);
    expect(looks.count, name).toBe(1);
    await looks.stop();
  }
  await expect(device.field('Current password')).toHaveValue('half a pass');
  await expect(page.getByRole('banner')).toContainText(user.username);
  expect(loads.count).toBe(0);
});

test('while a form is being sent, nothing that a look finds changes the page', async ({
  newDevice,
  user,
}) => {
  const [laptop, phone] = [await newDevice({ refusals: [401] }), await newDevice()];
  await laptop.page.clock.install();
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  let answer: (() => void) | undefined;
  await laptop.page.route(/\/revokeOthers$/, async (route) => {
    await new Promise<void>((go) => (answer = go));
    await route.fallback();
  });
  const main = laptop.page.getByRole('main');
  await main.getByRole('button', { name: 'End the other session' }).click();
  await laptop.page.getByRole('dialog').getByRole('button', { name: 'End session' }).click();
  await expect.poll(() => answer).toBeDefined();
  const looks = await answerWith(laptop.page, LOOK, problem(401));
  // Less than the time that the form itself waits for its response.
  await laptop.page.clock.fastForward(50_000);
  await laptop.page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await expect(laptop.page.getByRole('heading', { level: 1 })).toHaveText('Sessions');
  expect(looks.count).toBe(0);
  await looks.stop();
  answer?.();
  await expect(laptop.page.getByRole('status').filter({ hasText: 'Ended 1 other session.' })).toBeVisible();
  await expect(laptop.rows()).toHaveCount(1);
});

test('on /sessions a sign-in elsewhere appears by itself, and what is being typed stays', async ({
  newDevice,
  user,
}) => {
  const laptop = await signedUp(newDevice(), user);
  const phone = await newDevice();
  const { page } = laptop;
  await page.getByText('Rename').click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('half a na');
  await phone.startSignedIn(user);
  await page.clock.fastForward(16_000);
  await expect(laptop.rows()).toHaveCount(2);
  await expect(page.getByRole('textbox', { name: 'Name', exact: true }).first()).toHaveValue('half a na');
});

test('a page whose viewer was unknown looks once more by itself', async ({ newDevice, user }) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  await page.route(/:\d+\/$/, async (route) => {
    const response = await route.fetch();
    const html = (await response.text())
      .replace('viewerUnknown:false', 'viewerUnknown:true')
      .replace(/viewer:\{[^}]*\}/, 'viewer:null');
    await route.fulfill({ response, body: html });
  });
  await device.visit('/');
  const header = page.getByRole('banner');
  await expect(header).not.toContainText(user.username);
  await expect(header.getByRole('link', { name: 'Sign in' })).toHaveCount(0);
  await expect(header).toContainText(user.username);
});

test('a visible tab looks once a minute, at once when the user returns to it, and at first every 15 seconds on /sessions', async ({
  newDevice,
  user,
}) => {
  const device = await signedUp(newDevice(), user);
  const { page } = device;
  const looks = await answerWith(page, LOOK, signedIn(user.username));
  const underWay = new Set<unknown>();
  page.on('request', (request) => underWay.add(request));
  for (const event of ['requestfinished', 'requestfailed'] as const)
    page.on(event as 'requestfinished', (request) => underWay.delete(request));
  const seconds = async (passed: number, expected: number) => {
    for (let at = 0; at < passed; at += 15) {
      await page.clock.runFor(15_000);
      // Two requests in turn, because none is repeated while it runs: a look, and then the list.
      for (let waits = 0; waits < 2; waits += 1) {
        await expect.poll(() => underWay.size).toBe(0);
        await page.evaluate(() => fetch('/favicon.svg').then((response) => response.text()));
      }
    }
    await expect.poll(() => looks.count).toBe(expected);
  };
  await page.clock.pauseAt(Date.now() + 5_000);
  await device.visit('/sessions');
  await seconds(285, 19);
  await seconds(120, 21);
  await device.visit('/account');
  await seconds(180, 24);

  const setVisibility = (state: DocumentVisibilityState) =>
    page.evaluate((state) => {
      Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
      document.dispatchEvent(new Event('visibilitychange'));
    }, state);
  await setVisibility('hidden');
  await seconds(180, 24);
  await setVisibility('visible');
  await seconds(0, 25);
  await page.evaluate(() => window.dispatchEvent(new Event('focus')));
  await seconds(0, 25);
});

test('a device whose session was ended elsewhere is shown as signed out at its next request', async ({
  newDevice,
  user,
}) => {
  const laptop = await newDevice();
  const phone = await newDevice();
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  await laptop.visit('/sessions');
  await laptop.endOthers();

  // A link within the app, so there is no full page load.
  await phone.page.getByRole('navigation').getByRole('link', { name: 'Account', exact: true }).click();
  await expect(phone.page).toHaveURL('/login?redirectTo=%2Faccount');
  await expect(
    phone.page.getByText(/This session was ended from Chrome \d+ on \w+, (just now|1 minute ago)\./),
  ).toBeVisible();
  const header = phone.page.getByRole('banner');
  await expect(header.getByRole('link', { name: 'Sign in' })).toBeVisible();
  await expect(header.getByRole('button', { name: 'Sign out' })).toHaveCount(0);
  await expect(header).not.toContainText(user.username);
  await phone.submitUser(user, 'Sign in');
  await expect(phone.page).toHaveURL('/account');
  await expect(header.getByRole('button', { name: 'Sign out' })).toBeVisible();
});

for (const path of ['/account', '/', '/sessions/']) {
  test(`tabs of one browser follow each other’s sign-out and sign-in, on ${path}`, async ({
    newDevice,
    user,
  }) => {
    const laptop = await newDevice({ refusals: [401] });
    await laptop.startSignedUp(user);
    await laptop.visit('/sessions');
    const second = await laptop.context.newPage();
    await second.goto(new URL(path, laptop.page.url()).href);
    // It follows once its scripts run.
    await second.locator('#svelte-announcer').waitFor({ state: 'attached' });
    const heading = await second.getByRole('heading', { level: 1 }).innerText();
    await laptop.page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
    await expect(second.getByRole('alert')).toHaveText('Your session has ended.');
    await expect(second.getByText(user.username)).toHaveCount(0);
    await laptop.signIn(user);
    await expect(second.getByRole('banner')).toContainText(user.username);
    await expect(second.getByRole('heading', { level: 1 })).toHaveText(heading);
  });
}

/** Signs up, with a clock that the test can move. */
async function signedUp(made: Promise<Device>, user: User): Promise<Device> {
  const device = await made;
  await device.page.clock.install();
  await device.startSignedUp(user);
  return device;
}
