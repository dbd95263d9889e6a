import type { Page } from '@playwright/test';
import { sidewaysOverflow } from './axe';
import { expect, test } from './fixtures';

// What Lighthouse would measure, taken from the browser's own performance entries. Lighthouse needs 100 MB and a second browser driver, and
// its score varies with the machine. These figures hardly do: layout shifts, what waits for scripts, and the cost of a slow network.

const PUBLIC_PAGES = ['/', '/login', '/signup'];
const ACCOUNT_PAGES = ['/', '/sessions', '/activity', '/account', '/kv'];
const TARGET_MIN_PIXELS = 24;
/** Lighthouse's phone network: 150 ms round trip, 1.6 Mbit/s down, 750 kbit/s up. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 };
/** The limit for a "good" largest paint (web.dev, LCP). Here it counts from the first byte, because a busy machine sends that late. */
const GOOD_PAINT_MILLISECONDS = 2_500;

for (const [width, more] of [
  [360, 'has targets of at least 24 px'],
  [1280, 'does not scroll sideways with text of twice the size'],
] as const) {
  test(`a page at ${width} px loads without a shift, and ${more}`, async ({ client, newDevice, user }) => {
    // In a place where times look different from the server's.
    const laptop = await newDevice({ timezoneId: 'Asia/Kathmandu', refusals: [404] });
    const { page } = laptop;
    await page.setViewportSize({ width, height: 800 });
    await page.addInitScript(recordShifts);
    const check = async (path: string) => {
      await laptop.visit(path);
      expect(await shifts(page), path).toEqual([]);
      if (width === 360) return expect(await smallTargets(page), path).toEqual([]);
      await page.evaluate(() => (document.documentElement.style.fontSize = '200%'));
      return expect(await sidewaysOverflow(page), `${path} with large text`).toBeLessThanOrEqual(0);
    };
    for (const path of [...PUBLIC_PAGES, '/no-such-page']) await check(path);
    await laptop.startSignedUp(user);
    await client.signIn(user);
    for (const path of ACCOUNT_PAGES) await check(path);

    await laptop.visit('/sessions');
    const html = await (await laptop.page.request.get('/sessions')).text();
    const [exact = ''] = /(?<=<time datetime="[^"]+" title=")[^"]+/.exec(html) ?? [];
    expect(exact).toMatch(/^\d+ \w+ \d{4}, \d\d:\d\d UTC$/);
    const time = laptop.page.getByRole('main').getByRole('time').first();
    await expect(time).toHaveAttribute('title', /GMT\+5:45$/);
    expect(await time.innerText()).toContain(`(${String(await time.getAttribute('title'))})`);
  });
}

test('the test notices a layout shift when there is one', async ({ newDevice }) => {
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

test('the sessions page is painted and complete before any script runs, soon on a slow network', async ({
  newDevice,
  user,
}) => {
  const device = await newDevice();
  const { page } = device;
  await device.startSignedUp(user);
  const id = await device.sessionId();

  const scripts: string[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await page.route('**/*.js', async (route) => {
    scripts.push(route.request().url());
    await released;
    await route.continue();
  });
  const devtools = await device.context.newCDPSession(page);
  await devtools.send('Network.enable');
  await devtools.send('Network.emulateNetworkConditions', SLOW_4G);
  await page.goto('/sessions', { waitUntil: 'commit' });
  await expect(device.row(id)).toContainText('This device');
  const paints = await page.evaluate(largestPaints);
  expect(paints.length).toBeGreaterThan(0);
  expect(Math.max(...paints)).toBeLessThanOrEqual(GOOD_PAINT_MILLISECONDS);
  await expect.poll(() => scripts.length).toBeGreaterThan(1);

  release();
  await device.ready();
  await page.getByText('Rename').click();
  await expect(page.getByRole('textbox', { name: 'Name' })).toBeVisible();
});

declare global {
  interface Window {
    shifts: string[];
  }
}

/**
 * Runs in the page, before anything else. Records what moves after the whole page was parsed. If a browser paints while half of a row is
 * still being received, it must make room for the other half. The network causes that, and on a busy machine the test does.
 */
function recordShifts(): void {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const [{ domInteractive }] = performance.getEntriesByType('navigation') as [
        PerformanceNavigationTiming,
      ];
      const isRead = domInteractive > 0 && entry.startTime >= domInteractive;
      if (isRead) window.shifts.push(JSON.stringify(entry));
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

/** Returns when the largest elements were painted so far, in milliseconds from the first byte of the page. Runs in the page. */
function largestPaints(): Promise<number[]> {
  return new Promise((resolve) => {
    const [{ responseStart }] = performance.getEntriesByType('navigation') as [PerformanceNavigationTiming];
    new PerformanceObserver((list) =>
      resolve(list.getEntries().map(({ startTime }) => startTime - responseStart)),
    ).observe({ type: 'largest-contentful-paint', buffered: true });
  });
}

/** Returns what moved so far, after two more frames are painted. */
function shifts(page: Page): Promise<string[]> {
  return page.evaluate(
    () =>
      new Promise<string[]>((resolve) => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(window.shifts)));
      }),
  );
}

/** Leaves out links inside a sentence, which are as high as its lines (WCAG 2.2, 2.5.8, inline). */
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
