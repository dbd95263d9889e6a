/** Sessions bound to their device, in a real browser: what the browser does by itself, and what that means for a copied cookie. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test, type Browser, type BrowserContext } from '@playwright/test';
import { fullChromium } from '../../scripts/lib/chromium.mjs';
import { E2E_PORT } from '../../scripts/lib/steps.mjs';
import { BoundBrowser, launchOptions } from './real-browser';

const PORT = Number(process.env.E2E_PORT || E2E_PORT) + 2;
const ORIGIN = `https://localhost:${PORT}`;
const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'another good password';
const RUNS_OUT = { timeout: 30_000 };

const executablePath = fullChromium() ?? '';

let browser: Browser | undefined;
let elsewhere: Server | undefined;
const contexts: BrowserContext[] = [];

/** Signed in at the beginning. By the last tests, the proofs of these sessions have expired. */
let laptop: BoundBrowser;
let laptopWithoutScripts: BoundBrowser;
let thief: BoundBrowser;

/** Another user's browser with a profile of its own. It restarts, and its session is rotated and ended. */
let phone: BoundBrowser;
const phoneUser = newName();
const phoneProfile = mkdtempSync(join(tmpdir(), 'bound-'));

function newName(): string {
  return `ada-${randomUUID().slice(0, 13)}`;
}

type Options = { javaScriptEnabled?: boolean; ignoreHTTPSErrors?: boolean };

async function newBrowser(options: Options = {}): Promise<BoundBrowser> {
  if (!browser) throw new Error('no browser');
  const context = await browser.newContext(options);
  contexts.push(context);
  return BoundBrowser.open(context, ORIGIN);
}

async function startPhone(): Promise<BoundBrowser> {
  // A file makes no requests of its own, and a test must be able to make some from there.
  const options = { ...(await launchOptions(executablePath, PORT)), bypassCSP: true };
  return BoundBrowser.open(await chromium.launchPersistentContext(phoneProfile, options), ORIGIN);
}

// In order, in one worker: the tests share the server and the time until a proof expires.
test.describe.configure({ mode: 'serial' });

test.beforeAll(async () => {
  browser = await chromium.launch(await launchOptions(executablePath, PORT));
  elsewhere = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<a href="${ORIGIN}/sessions">to the sessions</a>`);
  }).listen(0, '127.0.0.1');
});

test.afterAll(async () => {
  elsewhere?.close();
  await Promise.all(contexts.map((context) => context.close()));
  await Promise.all([phone?.context.close(), browser?.close()]);
  rmSync(phoneProfile, { recursive: true, force: true });
});

test('Chromium binds the session of a sign-up and of a sign-in, and the list says so', async () => {
  const name = newName();
  [phone, laptop, laptopWithoutScripts, thief] = await Promise.all([
    startPhone(),
    newBrowser(),
    newBrowser({ javaScriptEnabled: false }),
    // Playwright's own requests do not trust the certificate.
    newBrowser({ ignoreHTTPSErrors: true }),
  ]);
  await Promise.all([laptop.signUp(name, PASSWORD), phone.signUp(phoneUser, PASSWORD)]);
  await laptopWithoutScripts.signIn(name, PASSWORD);
  await laptop.page.reload();
  await expect(laptop.page.getByText('Bound to this device')).toHaveCount(2);
});

test('the two cookies, copied to another browser, work while the bound one is valid', async () => {
  const copied = (await laptop.context.cookies()).filter(({ name }) => /^__Host-(session|bound)$/.test(name));
  expect(copied).toHaveLength(2);
  // A thief's browser can keep them forever.
  await thief.context.addCookies(copied.map((cookie) => ({ ...cookie, expires: -1 })));
  expect(await thief.isIn()).toBe(true);
  await laptop.rest();
});

test('Chromium refreshes once for four requests at the same time', async () => {
  await phone.rest();
  await phone.loseProof();
  const before = phone.count('refreshed');
  const statuses = await phone.page.evaluate(() =>
    Promise.all([1, 2, 3, 4].map(async (one) => (await fetch(`/api/sessions?${one}`)).status)),
  );
  expect(statuses).toEqual([200, 200, 200, 200]);
  await phone.sees('refreshed', before + 1);
  expect(await phone.hasCookie('__Host-bound')).toBe(true);
});

test('the session and its key survive a restart of the browser', async () => {
  await phone.context.close();
  phone = await startPhone();
  await phone.loseProof();
  expect(await phone.isIn()).toBe(true);
  expect(await phone.hasCookie('__Host-bound')).toBe(true);
});

test('a bound session continues after a rotation by password, and is bound again', async () => {
  await phone.page.goto(`${ORIGIN}/account`);
  await phone.page.getByLabel('Current password').fill(PASSWORD);
  await phone.page.getByLabel('New password').fill(NEW_PASSWORD);
  await phone.page.getByRole('button', { name: 'Change password' }).click();
  await phone.sees('created', 1);
  await phone.rest();
  await phone.loseProof();
  expect(await phone.isIn()).toBe(true);
  expect(await phone.hasCookie('__Host-bound')).toBe(true);
});

test('the browser drops the binding once the session has ended, here or elsewhere', async () => {
  const other = await newBrowser();
  await other.signIn(phoneUser, NEW_PASSWORD);
  await other.page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await other.page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(other.page).toHaveURL(/\/login/);
  const stillHasProof = async (each: BoundBrowser) => {
    await each.rest();
    await each.loseProof();
    await each.page.goto(ORIGIN);
    return each.hasCookie('__Host-bound');
  };
  expect(await Promise.all([phone, other].map(stillHasProof))).toEqual([false, false]);
  // Its current binding and the one before the rotation. On the device that signs out, `Clear-Site-Data` has already ended it.
  await phone.sees('ended', 2);
});

test('the browser refreshes when the bound cookie has expired', async () => {
  await expect.poll(() => laptop.hasCookie('__Host-bound'), RUNS_OUT).toBe(false);
  expect(await laptop.isIn()).toBe(true);
});

test('a link from another site works, because the page reloads itself, with and without scripts', async () => {
  const address = elsewhere?.address();
  if (!address || typeof address === 'string') throw new Error('no other site');
  const follow = async (each: BoundBrowser) => {
    await each.page.goto(`http://127.0.0.1:${address.port}/`);
    await each.loseProof();
    const statuses: number[] = [];
    each.page.on('response', (response) => {
      if (response.url() === `${ORIGIN}/sessions`) statuses.push(response.status());
    });
    await each.page.getByRole('link').click();
    await expect(each.page.getByText('Bound to this device')).toHaveCount(2);
    return statuses;
  };
  expect(await Promise.all([laptop, laptopWithoutScripts].map(follow))).toEqual([
    [403, 200],
    [403, 200],
  ]);
});

test('the copied cookies open nothing once the bound one has expired, and the activity says that it was tried', async () => {
  const status = async () => (await thief.context.request.get(`${ORIGIN}/api/sessions`)).status();
  await expect.poll(status, RUNS_OUT).toBe(403);
  await thief.page.goto(`${ORIGIN}/sessions`);
  await expect(thief.page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
  // Nobody is signed out, and the owner's session works.
  expect(await laptop.isIn()).toBe(true);
  await laptop.page.goto(`${ORIGIN}/activity`);
  // The owner's own links from another site are not among them.
  await expect(laptop.page.getByText('without proof')).toHaveCount(1);
});
