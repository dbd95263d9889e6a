import type { Page } from '@playwright/test';
import { expect, test } from './fixtures';
import { addSessions } from './many-sessions';

/** Runs in the page. Replaces every visible text as a translator does, with its own words in a `<font>`. */
function translate(): void {
  const texts: Text[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { currentNode: text } = walker;
    if (text instanceof Text && text.data.trim() && !text.parentElement?.closest('font, script, style'))
      texts.push(text);
  }
  for (const text of texts) {
    const font = document.createElement('font');
    font.textContent = text.data.replace(/[a-z]+/gi, (word) => `${word}o`);
    text.replaceWith(font);
  }
}

/** Does the same in two steps and leaves the original text inside, as another translator does. */
function wrap(): void {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) if (walker.currentNode instanceof Text) texts.push(walker.currentNode);
  for (const text of texts) {
    if (!text.data.trim() || text.parentElement?.closest('font, script, style')) continue;
    const font = document.createElement('font');
    text.parentNode?.insertBefore(font, text);
    font.appendChild(text);
  }
}

for (const [way, translator] of Object.entries({ replaced: translate, wrapped: wrap })) {
  test(`a page whose texts a translator has ${way} still counts, names, filters and ends`, async ({
    newDevice,
    storage,
    user,
  }) => {
    const device = await newDevice({ refusals: [401] });
    const { page } = device;
    await page.clock.install();
    await device.startSignedUp(user);
    await addSessions(storage, (await device.sessionCookie()).userId, 14);
    await device.visit('/sessions');
    const main = page.getByRole('main');
    const again = () => page.evaluate(translator);

    for (const left of [13, 12]) {
      await again();
      await endOne(page);
      await expect(main.getByRole('heading', { level: 2 }).filter({ hasText: `(${left})` })).toBeVisible();
      await expect(main).not.toContainText(`(${left + 1})`);
    }
    await main.locator('button[aria-haspopup="dialog"]').first().click();
    await expect(page.getByRole('dialog')).toContainText('12');
    await expect(page.getByRole('dialog')).not.toContainText(/1[34]/);
    await page.keyboard.press('Escape');

    const found = main.locator('search').getByRole('status');
    await again();
    await page.getByRole('searchbox').fill('kyoto');
    await expect(found).toHaveText(/^6\D+12\D+$/);
    await again();
    await page.getByRole('searchbox').fill('kyoto safari');
    await expect(found).toHaveText(/^2\D+12\D+$/);
    await page.getByRole('searchbox').fill('');
    await expect(found).toHaveText('');
    await expect(device.rows()).toHaveCount(13);

    await again();
    await device.rows().first().locator('summary').click();
    await device.rows().first().locator('input[name="name"]').fill('Desk');
    await page.keyboard.press('Enter');
    await expect(device.rows().first().locator('h3')).toContainText('Desk');

    // It can be stopped, and then nothing of it is left.
    await again();
    await page.route('**/api/session', (route) =>
      route.fulfill({
        status: 401,
        contentType: 'application/problem+json',
        body: '{"title":"x","status":401}',
      }),
    );
    await page.clock.fastForward(61_000);
    await expect(page.getByRole('alert')).toHaveText('Your session has ended.');
    await expect(device.rows()).toHaveCount(0);
    await expect(page.locator('body')).not.toContainText(user.username);
  });
}

async function endOne(page: Page): Promise<void> {
  const before = await page.locator('[data-session-id]').count();
  const row = page.locator('[data-session-id]:not([data-current])').first();
  // With the keyboard, because a click right after another one is ignored while the rows move.
  await row.locator('form[action="?/revoke"] button').press('Enter');
  await expect(page.locator('[data-session-id]')).toHaveCount(before - 1);
}
