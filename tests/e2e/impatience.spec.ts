import type { Locator, Page } from '@playwright/test';
import { expect, test } from './fixtures';

test('a slow action shows that it is in progress, and double clicks are harmless', async ({
  newDevice,
  user,
}) => {
  const laptop = await newDevice();
  const { page } = laptop;
  await laptop.startSignedUp(user);
  for (const other of [await newDevice(), await newDevice(), await newDevice()])
    await other.startSignedIn(user);
  await laptop.visit('/sessions');

  const post = await hold(page, 'POST');
  const row = laptop.row((await laptop.rows().nth(1).getAttribute('data-session-id')) ?? '');
  const button = row.getByRole('button', { name: 'End session' });
  const { x, y } = await centre(button);
  await page.mouse.click(x, y);
  await page.mouse.click(x, y);
  await button.press('Enter');
  await expect(button).toHaveAttribute('aria-disabled', 'true');
  // The label disappears and a spinner appears.
  const moving = (element: Element) => element.getAnimations({ subtree: true }).length;
  expect(await button.evaluate(moving)).toBe(3);
  await expect.poll(() => post.held).toHaveLength(1);
  post.release();
  await expect(row).toHaveCount(0);

  // The result takes the place of the row, and the next row is below it. The second half of a double click must not end that one, too.
  const more = await hold(page, 'POST');
  await expect(page.locator('.result')).toContainText('Ended: ');
  const next = await centre(laptop.rows().nth(1).getByRole('button', { name: 'End session' }));
  await page.mouse.move(next.x, next.y);
  await page.mouse.down({ clickCount: 2 });
  await page.mouse.up({ clickCount: 2 });
  await page.getByRole('main').getByRole('button', { name: 'Sign out everywhere' }).dblclick();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect(more.held).toHaveLength(0);
  more.release();
  await laptop.visit('/sessions');
  await expect(laptop.rows()).toHaveCount(3);
});

test('a slow page shows that it is loading, without motion if the user prefers none', async ({
  newDevice,
  user,
}) => {
  const laptop = await newDevice();
  const { page } = laptop;
  await laptop.startSignedUp(user);

  const data = await hold(page, 'GET');
  await page.getByRole('link', { name: 'Activity' }).click();
  const progress = page.getByRole('progressbar', { name: 'Loading' });
  await expect(progress).toBeAttached();
  const seconds = (element: Element) => parseFloat(getComputedStyle(element).animationDuration);
  expect(await progress.evaluate(seconds)).toBeGreaterThan(1);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  expect(await progress.evaluate(seconds)).toBeLessThan(0.001);
  data.release();
  await expect(page).toHaveURL('/activity');
  await expect(progress).toHaveCount(0);
});

test('a second click on a row that has just moved ends one session, not two', async ({ newDevice, user }) => {
  const laptop = await newDevice();
  const { page } = laptop;
  // The next row is there at once. While it slides, there is nothing to press.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await laptop.startSignedUp(user);
  for (const other of [await newDevice(), await newDevice()]) await other.startSignedIn(user);
  await laptop.visit('/sessions');
  const posts: string[] = [];
  page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));

  // The page itself clicks a second time as soon as the row is gone, so that the machine's speed does not matter.
  const button = laptop.rows().nth(1).getByRole('button', { name: 'End session' });
  await page.evaluate(() => {
    const rows = () => document.querySelectorAll('[data-session-id]');
    const before = rows().length;
    const observer = new MutationObserver(() => {
      if (rows().length === before) return;
      observer.disconnect();
      setTimeout(() => {
        const button = rows()[1]?.querySelector('button[type="submit"]');
        button?.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, detail: 1 }));
        document.body.dataset.clicked = button?.textContent ?? '';
      }, 100);
    });
    observer.observe(document.body, { childList: true, subtree: true });
  });
  await button.click();
  await expect(page.locator('body')).toHaveAttribute('data-clicked', /End session/);
  await expect(laptop.rows()).toHaveCount(2);
  expect(posts).toHaveLength(1);

  // A moment later the same click works. On a busy machine its row may take longer to go than one attempt lasts.
  await expect(async () => {
    if ((await laptop.rows().count()) > 1) await button.click({ timeout: 1_000 });
    await expect(laptop.rows()).toHaveCount(1, { timeout: 1_000 });
  }).toPass();
});

/** Delays the page's data and action requests of one method until `release`, as a slow network would. */
async function hold(page: Page, method: 'GET' | 'POST') {
  const held: string[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  await page.route('**/*', async (route) => {
    const request = route.request();
    if (request.method() === method && request.resourceType() === 'fetch') {
      held.push(request.url());
      await released;
    }
    await route.fallback();
  });
  return { held, release };
}

async function centre(locator: Locator): Promise<{ x: number; y: number }> {
  const box = await locator.boundingBox();
  if (!box) throw new Error(`[e2e] ${String(locator)} is not on the page.`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
