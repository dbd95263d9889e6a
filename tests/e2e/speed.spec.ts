import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';

const PUBLIC_PAGES = ['/', '/login', '/signup'];
const ACCOUNT_PAGES = ['/', '/sessions', '/activity', '/account', '/kv'];
const TARGET_MIN_PIXELS = 24;

for (const width of [360, 1280]) {
  test(`nothing moves while a page loads, at ${width} px`, async ({ newDevice, user }) => {
    const [laptop, phone] = [await newDevice(), await newDevice()];
    await laptop.page.setViewportSize({ width, height: 800 });
    await laptop.page.addInitScript(recordShifts);
    for (const path of PUBLIC_PAGES) {
      await laptop.visit(path);
      expect(await shifts(laptop.page), path).toEqual([]);
    }
    await laptop.signUp(user);
    await phone.signIn(user);
    for (const path of ACCOUNT_PAGES) {
      await laptop.visit(path);
      expect(await shifts(laptop.page), path).toEqual([]);
    }
  });
}

test('what the test calls a shift is seen when there is one', async ({ newDevice }) => {
  const device = await newDevice();
  await device.page.addInitScript(recordShifts);
  await device.visit('/');
  await device.page.evaluate(() => {
    const block = document.createElement('div');
    block.textContent = 'pushes everything down '.repeat(400);
    document.body.insertBefore(block, document.body.firstChild);
  });
  await expect.poll(() => shifts(device.page)).not.toEqual([]);
});

test('the sessions page is complete before any script runs', async ({ newDevice, user }) => {
  const device = await newDevice();
  await device.signUp(user);
  const id = await device.sessionId();
  const html = await (await device.page.request.get('/sessions')).text();

  expect(html).toContain(`data-session-id="${id}"`);
  expect(html).toContain('This device');
  expect(html).toMatch(/<time datetime="[^"]+" title="[^"]+ UTC">/);
  // Nothing in front of the content waits for a script.
  expect(html).not.toMatch(/<script(?![^>]*type="module")[^>]* src=/);
});

test('pages ask nobody else, and for no font', async ({ baseURL, newDevice, user }) => {
  const device = await newDevice();
  const requests: { url: string; type: string }[] = [];
  device.page.on('request', (request) => requests.push({ url: request.url(), type: request.resourceType() }));
  await device.signUp(user);
  for (const path of ACCOUNT_PAGES) await device.visit(path);

  expect(requests.length).toBeGreaterThan(ACCOUNT_PAGES.length);
  expect(requests.filter(({ url }) => new URL(url).origin !== baseURL)).toEqual([]);
  expect(requests.filter(({ type }) => type === 'font')).toEqual([]);
});

test('no page scrolls sideways at 320 px, nor with text of twice the size', async ({ newDevice, user }) => {
  const device = await newDevice({ refusals: [404] });
  const check = async (path: string) => {
    await device.visit(path);
    await device.page.setViewportSize({ width: 320, height: 640 });
    expect(await overflow(device.page), `${path} at 320 px`).toBeLessThanOrEqual(0);
    await device.page.setViewportSize({ width: 1280, height: 800 });
    await device.page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
    expect(await overflow(device.page), `${path} with large text`).toBeLessThanOrEqual(0);
  };
  for (const path of [...PUBLIC_PAGES, '/no-such-page']) await check(path);
  await device.signUp(user);
  for (const path of ACCOUNT_PAGES) await check(path);
});

test('what can be pressed is at least 24 px in both directions', async ({ newDevice, user }) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.signUp(user);
  await phone.signIn(user);
  await laptop.page.setViewportSize({ width: 360, height: 740 });
  for (const path of ACCOUNT_PAGES) {
    await laptop.visit(path);
    expect(await smallTargets(laptop.page), path).toEqual([]);
  }
});

declare global {
  interface Window {
    shifts: string[];
  }
}

/** Runs in the page, before anything else. */
function recordShifts(): void {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) window.shifts.push(JSON.stringify(entry));
  }).observe({ type: 'layout-shift', buffered: true });
}

/** What moved until now, once two more frames are painted. */
function shifts(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.shifts)));
      }),
  );
}

/** By how many pixels the page is wider than its window. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** Links inside a sentence are as high as its lines (WCAG 2.2, 2.5.8, inline). */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate((min) => {
    const inSentence = (element: Element) =>
      getComputedStyle(element).display === 'inline' &&
      element.parentElement?.textContent?.trim() !== element.textContent?.trim();
    return [...document.querySelectorAll('a, button, input, summary')]
      .filter((element) => element.checkVisibility() && !inSentence(element))
      .filter((element) => !element.matches('.skip, [type="hidden"]'))
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width < min || box.height < min)
      .map(({ element, box }) => `${element.outerHTML.slice(0, 120)}: ${box.width} × ${box.height}`);
  }, TARGET_MIN_PIXELS);
}
