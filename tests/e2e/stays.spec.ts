/** Nothing changes unexpectedly: no failure removes typed text, leads to an error page or leaves a button dead. */
import type { Page } from '@playwright/test';
import type { Device } from './device';
import { expect, test } from './fixtures';
import { answerWith, DATA, FAILURES, LOOK, lookAgain, type Given } from './look';

const STATUSES = [400, 401, 403, 409, 413, 429, 500, 502, 503];
const POSTS = { refusals: STATUSES, unanswered: true };

/** The app's own response when a store is down, as an action sends it. */
const STORE_DOWN: Given = {
  status: 503,
  contentType: 'application/json',
  body: JSON.stringify({
    type: 'error',
    error: { message: 'The database (D1) did not answer.', store: 'D1' },
  }),
};
const LOAD_FAILED: Given = {
  status: 200,
  contentType: 'application/json',
  body: JSON.stringify({
    type: 'data',
    nodes: [null, { type: 'error', status: 503, error: { message: 'x' } }],
  }),
};

test('half-typed forms on every page survive every failure of a look', async ({ newDevice, user }) => {
  const [device, guest] = [await newDevice(POSTS), await newDevice(POSTS)];
  await device.page.clock.install();
  await device.startSignedUp(user);
  await answerWith(device.page, DATA, 'none');
  for (const path of ['/', '/sessions', '/activity', '/account', '/kv']) {
    await device.visit(path);
    await openForms(device.page);
    const typed = await typeEverywhere(device.page);
    const heading = await device.page.getByRole('heading', { level: 1 }).textContent();
    for (const [name, given] of Object.entries(FAILURES)) {
      const looks = await answerWith(device.page, LOOK, given);
      await lookAgain(device.page);
      await looks.stop();
      expect(await valuesOf(device.page), `${path}, ${name}`).toEqual(typed);
    }
    await expect(device.page.getByRole('heading', { level: 1 })).toHaveText(heading ?? '');
  }
  for (const path of ['/login', '/signup']) {
    await guest.visit(path);
    const typed = await typeEverywhere(guest.page);
    await answerWith(guest.page, DATA, 'none');
    await guest.page.evaluate(() => window.dispatchEvent(new Event('focus')));
    await guest.page.evaluate(() =>
      window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
    );
    expect(await valuesOf(guest.page)).toEqual(typed);
  }
});

test('a form without a response from the app keeps what was typed, says what happened, and can be sent again', async ({
  newDevice,
  user,
}) => {
  const [device, guest, other] = [await newDevice(POSTS), await newDevice(POSTS), await newDevice()];
  await device.startSignedUp(user);
  await other.startSignedIn(user);

  // One form gets every kind of failure, the others one of each: no response, a response that is not the app's, and the app's own.
  const every: Record<string, Given> = { ...FAILURES, 'a store that is down': STORE_DOWN };
  const some = Object.entries(every).filter(([name]) => /^(no network|a platform page|a store)/.test(name));
  const forms: [Device, string, string, string?][] = [
    [guest, '/login', 'Sign in'],
    [guest, '/signup', 'Sign up'],
    [device, '/account', 'Change password'],
    [device, '/account', 'Delete account', 'Delete for good'],
    [device, '/sessions', 'Save'],
    [device, '/sessions', 'End the other session', 'End session'],
    [device, '/sessions', 'Sign out everywhere', 'Sign out everywhere'],
  ];
  for (const [{ page, ...rest }, path, button, confirm] of forms) {
    void rest;
    await page.goto(path);
    await page.locator('#svelte-announcer').waitFor({ state: 'attached' });
    // An open form covers what is below it.
    if (button === 'Save') await openForms(page);
    const typed = await typeEverywhere(page);
    for (const [name, given] of button === 'Change password' ? Object.entries(every) : some) {
      const posts = await answerWith(page, /.*/, given, 'POST');
      const main = page.getByRole('main');
      await main.getByRole('button', { name: button, exact: true }).first().click();
      if (confirm) await page.getByRole('dialog').getByRole('button', { name: confirm }).click();
      const where = `${path}, ${button}, ${name}`;
      const expected =
        given === 'none' ? /No answer came/ : given === STORE_DOWN ? /\(D1\)/ : `status ${given.status}`;
      await expect(page.getByRole('alert'), where).toContainText(expected);
      expect(posts.count, where).toBe(1);
      expect(await valuesOf(page), where).toEqual(typed);
      await expect(page.locator('[aria-disabled="true"]'), where).toHaveCount(0);
      await posts.stop();
      await page.getByRole('button', { name: 'Close this message' }).last().click();
    }
  }
  // Then it works, with the form as it is.
  await device.page
    .getByRole('main')
    .getByRole('button', { name: 'Sign out everywhere', exact: true })
    .click();
  await device.page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(device.page).toHaveURL(/\/login/);
});

test('the result of an action is shown even if the page cannot be reloaded', async ({ newDevice, user }) => {
  const device = await newDevice(POSTS);
  const { page } = device;
  await device.startSignedUp(user);
  for (const [name, given] of Object.entries({ ...FAILURES, 'a load that failed': LOAD_FAILED })) {
    const loads = await answerWith(page, DATA, given);
    await page.getByText('Rename').click();
    await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
    await page.getByRole('button', { name: 'Save' }).click();
    const said = page.getByRole('status').filter({ hasText: `Session named “${name}”.` });
    await expect(said, name).toContainText('This page could not be loaded again');
    await expect(page.getByText(/^Error/), name).toHaveCount(0);
    await expect(page.getByRole('button', { name: 'Save' }), name).toBeHidden();
    await loads.stop();
  }
  await page.getByText('Rename').click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill('Desk');
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('status').filter({ hasText: '“Desk”' })).not.toContainText('could not');
  await expect(page.getByRole('heading', { level: 3, name: 'Desk' })).toBeVisible();
});

test('offline, a link and a sign-out leave the page and the typed text as they are', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice(POSTS);
  const { page, context } = device;
  await device.startSignedUp(user);
  await device.visit('/account');
  const typed = await typeEverywhere(page);
  await context.setOffline(true);
  for (const press of [
    () => page.getByRole('link', { name: 'Activity' }).click(),
    () => page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click(),
  ]) {
    await press();
    await expect(page.getByRole('alert')).toContainText('You are offline.');
    await page.getByRole('button', { name: 'Close this message' }).click();
    expect(await valuesOf(page)).toEqual(typed);
  }
  await context.setOffline(false);
  await page.getByRole('link', { name: 'Activity' }).click();
  await expect(page).toHaveURL('/activity');
});

/** Removes features that a browser may lack, or makes them throw as blocked storage does. Runs in the page, before its scripts. */
function lackFeatures(): void {
  const lack = (owner: object, ...names: string[]) => {
    for (const name of names) Reflect.deleteProperty(owner, name);
  };
  const refuse = (name: string) =>
    Object.defineProperty(window, name, {
      get: () => {
        throw new DOMException('The operation is insecure.', 'SecurityError');
      },
    });
  for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) refuse(name);
  window.BroadcastChannel = new Proxy(BroadcastChannel, {
    construct: () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    },
  });
  lack(HTMLElement.prototype, 'hidePopover', 'showPopover', 'togglePopover', 'popover');
  lack(HTMLDialogElement.prototype, 'showModal', 'show');
  lack(HTMLFormElement.prototype, 'requestSubmit');
  lack(Array.prototype, 'toSorted', 'toReversed', 'with', 'toSpliced');
  lack(AbortSignal, 'timeout', 'any');
  lack(URL, 'parse', 'canParse');
  lack(Response, 'json');
  lack(Object, 'groupBy');
  lack(Promise, 'withResolvers', 'try');
  lack(PerformanceResourceTiming.prototype, 'serverTiming');
  lack(window, 'PerformanceObserver', 'matchMedia', 'ResizeObserver', 'requestIdleCallback');
  lack(window, 'structuredClone', 'navigation', 'Notification');
  lack(Document.prototype, 'startViewTransition');
  lack(
    Navigator.prototype,
    'userAgentData',
    'clipboard',
    'locks',
    'serviceWorker',
    'storage',
    'sendBeacon',
    'share',
  );
  lack(Crypto.prototype, 'randomUUID');
  const matches = Reflect.get(Element.prototype, 'matches');
  Reflect.set(Element.prototype, 'matches', function (this: Element, selector: string) {
    if (selector.includes(':popover-open')) throw new DOMException('not a valid selector', 'SyntaxError');
    return Reflect.apply(matches, this, [selector]);
  });
}

test('every page and form works in a browser without newer features and with storage blocked', async ({
  newDevice,
  user,
}) => {
  const [device, other] = [await newDevice({ refusals: [400] }), await newDevice()];
  const { page } = device;
  await page.addInitScript(lackFeatures);
  page.on('dialog', (dialog) => void dialog.accept());
  await device.signUp(user);
  await other.startSignedIn(user);
  for (const path of ['/', '/activity', '/account', '/kv', '/sessions']) await device.visit(path);
  await page.getByText('Rename').first().click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).first().fill('Desk');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await expect(page.getByRole('heading', { level: 3, name: 'Desk' })).toBeVisible();
  // The page has no dialog of its own here, so the browser's dialog asks.
  await page.getByRole('main').getByRole('button', { name: 'End the other session' }).click();
  await expect(device.rows()).toHaveCount(1);
  await page.getByRole('button', { name: 'Dark' }).click();
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  await device.changePassword(user, `${user.password} new`);
  await page.getByRole('button', { name: 'Delete account' }).click();
  await expect(page.getByRole('alert')).toHaveText('Enter your password.');
  await device.visit('/sessions');
  await page.getByRole('main').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(page).toHaveURL(/\/login/);
});

/** Opens everything that hides a field. */
async function openForms(page: Page): Promise<void> {
  await page
    .locator('main details:has(input)')
    .evaluateAll((all) => all.forEach((d) => d.setAttribute('open', '')));
}

/** Types into every visible field, like a user who is half done. Returns the fields' contents. */
async function typeEverywhere(page: Page): Promise<string[]> {
  for (const field of await page.locator('main input:not([type="hidden"]):visible').all()) {
    await field.fill('half-typed words');
  }
  return valuesOf(page);
}

function valuesOf(page: Page): Promise<string[]> {
  return page
    .locator('main input:not([type="hidden"])')
    .evaluateAll((all) => all.filter((e) => e instanceof HTMLInputElement).map(({ value }) => value));
}
