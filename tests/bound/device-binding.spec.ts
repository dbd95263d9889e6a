/** Sessions bound to their device, in a real browser: what it does by itself, and what that makes of a copied cookie. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, expect, test, type Browser, type BrowserContext } from '@playwright/test';
import { fullChromium } from '../../scripts/lib/chromium.mjs';
import { stopAll } from '../../scripts/lib/processes.mjs';
import { serve } from '../../scripts/lib/serve.mjs';
import { E2E_PORT, ensureDevVars, migrate } from '../../scripts/lib/steps.mjs';
import { BoundBrowser, launchOptions } from './real-browser';

const PORT = Number(process.env.E2E_PORT || E2E_PORT) + 2;
const ORIGIN = `https://localhost:${PORT}`;
const STATE_FOLDER = '.wrangler/e2e/bound';
/** Short, so that it runs out while one looks; the browser then refreshes with every page. */
const BOUND_COOKIE_SECONDS = 8;
const PASSWORD = 'correct horse battery';

const executablePath = fullChromium();

// In order, in one worker: they share the server, and the time that a copied cookie takes to run out.
test.describe.configure({ mode: 'default' });

test.describe('in a whole Chromium', () => {
  let browser: Browser;
  let elsewhere: Server;
  const contexts: BrowserContext[] = [];

  test.beforeAll(async () => {
    rmSync(STATE_FOLDER, { recursive: true, force: true });
    ensureDevVars();
    await migrate(STATE_FOLDER);
    const vars = { BOUND_COOKIE_SECONDS: String(BOUND_COOKIE_SECONDS) };
    await serve({ port: PORT, stateFolder: STATE_FOLDER, https: true, vars });
    browser = await chromium.launch(await launchOptions(executablePath ?? '', PORT));
    elsewhere = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(`<a href="${ORIGIN}/sessions">to the sessions</a>`);
    }).listen(0, '127.0.0.1');
  });

  test.afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });

  test.afterAll(async () => {
    elsewhere.close();
    await browser.close();
    await stopAll();
  });

  async function newBrowser(options: { javaScriptEnabled?: boolean } = {}): Promise<BoundBrowser> {
    const context = await browser.newContext(options);
    contexts.push(context);
    return BoundBrowser.open(context, ORIGIN);
  }

  const newName = () => `ada-${randomUUID().slice(0, 13)}`;

  test('it binds the session of a sign-up and of a sign-in, and the list says so', async () => {
    const [name, laptop, phone] = [newName(), await newBrowser(), await newBrowser()];
    await laptop.signUp(name, PASSWORD);
    await phone.signIn(name, PASSWORD);
    await phone.page.reload();
    await expect(phone.page.getByText('Bound to this device')).toHaveCount(2);
  });

  test('it refreshes when the bound cookie is gone: once for four requests at the same time', async () => {
    const laptop = await newBrowser();
    await laptop.signUp(newName(), PASSWORD);
    // By itself, once it has run out.
    await expect.poll(() => laptop.hasCookie('__Host-bound'), { timeout: 15_000 }).toBe(false);
    expect(await laptop.isIn()).toBe(true);
    await laptop.loseProof();
    const before = laptop.count('refreshed');
    const statuses = await laptop.page.evaluate(() =>
      Promise.all([1, 2, 3, 4].map(async (one) => (await fetch(`/api/sessions?${one}`)).status)),
    );
    expect(statuses).toEqual([200, 200, 200, 200]);
    await laptop.sees('refreshed', before + 1);
  });

  for (const javaScriptEnabled of [true, false]) {
    test(`a link from another site leads in, by a page that tries again, ${javaScriptEnabled ? 'with' : 'without'} scripts`, async () => {
      const laptop = await newBrowser({ javaScriptEnabled });
      await laptop.signUp(newName(), PASSWORD);
      const { port } = elsewhere.address() as AddressInfo;
      await laptop.page.goto(`http://127.0.0.1:${port}/`);
      await laptop.loseProof();
      const statuses: number[] = [];
      laptop.page.on('response', (response) => {
        if (response.url() === `${ORIGIN}/sessions`) statuses.push(response.status());
      });
      await laptop.page.getByRole('link').click();
      await expect(laptop.page.getByRole('heading', { name: 'Sessions', level: 1 })).toBeVisible();
      expect(statuses).toEqual([403, 200]);
      await laptop.page.goto(`${ORIGIN}/activity`);
      await expect(laptop.page.getByText('without proof')).toHaveCount(0);
    });
  }

  test('it goes on after a rotation by password, and binds that session anew', async () => {
    const laptop = await newBrowser();
    await laptop.signUp(newName(), PASSWORD);
    await laptop.page.goto(`${ORIGIN}/account`);
    await laptop.page.getByLabel('Current password').fill(PASSWORD);
    await laptop.page.getByLabel('New password').fill('another good password');
    await laptop.page.getByRole('button', { name: 'Change password' }).click();
    await laptop.sees('created', 2);
    await laptop.loseProof();
    expect(await laptop.isIn()).toBe(true);
    await laptop.loseProof();
    expect(await laptop.isIn()).toBe(true);
  });

  test('it gives the binding up once the session has ended, by a sign-out and from elsewhere', async () => {
    const [name, laptop, phone] = [newName(), await newBrowser(), await newBrowser()];
    await laptop.signUp(name, PASSWORD);
    await phone.signIn(name, PASSWORD);
    await phone.page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await phone.page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click();
    await expect(phone.page).toHaveURL(/\/login/);
    for (const one of [phone, laptop]) {
      await one.loseProof();
      await one.page.goto(ORIGIN);
      await one.sees('ended', 1);
      expect(await one.hasCookie('__Host-bound')).toBe(false);
    }
  });

  test('session and key outlive a restart of the browser', async () => {
    const profile = mkdtempSync(join(tmpdir(), 'bound-'));
    const options = await launchOptions(executablePath ?? '', PORT);
    try {
      const first = await chromium.launchPersistentContext(profile, options);
      await (await BoundBrowser.open(first, ORIGIN)).signUp(newName(), PASSWORD);
      await first.close();
      const second = await chromium.launchPersistentContext(profile, options);
      const laptop = await BoundBrowser.open(second, ORIGIN);
      await laptop.loseProof();
      expect(await laptop.isIn()).toBe(true);
      await second.close();
    } finally {
      rmSync(profile, { recursive: true, force: true });
    }
  });

  test('its cookies, copied to another browser, open nothing once the bound one has run out; and that is noticed', async () => {
    const [laptop, thief] = [await newBrowser(), await newBrowser()];
    await laptop.signUp(newName(), PASSWORD);
    await laptop.loseProof();
    await laptop.isIn();
    const copied = (await laptop.context.cookies()).filter(({ name }) =>
      /^__Host-(session|bound)$/.test(name),
    );
    expect(copied).toHaveLength(2);
    // A thief's browser keeps them as long as it likes.
    await thief.context.addCookies(copied.map((cookie) => ({ ...cookie, expires: -1 })));
    const isIn = async () => (await thief.context.request.get(`${ORIGIN}/api/sessions`)).status();
    await expect.poll(isIn, { timeout: 20_000, intervals: [500] }).toBe(403);
    await thief.page.goto(`${ORIGIN}/sessions`);
    await expect(thief.page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
    expect(await laptop.isIn()).toBe(true);
    await laptop.page.goto(`${ORIGIN}/activity`);
    await expect(laptop.page.getByText('without proof')).toHaveCount(1);
  });
});
