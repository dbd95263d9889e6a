import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** What a theme can change; everything else is the same in both. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block'];
const NARROW = { width: 320, height: 640 };

/**
 * Fails when axe finds anything on the page as it is now: every rule, and that targets have 24 px (WCAG 2.2, 2.5.8), in the light theme;
 * the rules about colour in the dark one. And when the page scrolls sideways at 320 px (1.4.10).
 */
export async function expectAccessible(page: Page): Promise<void> {
  const size = page.viewportSize();
  await expect(page).toHaveTitle(/^.+ · Pages Sessions$/);
  // No motion: a colour half-way through a transition is none of the theme's.
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await expectNoViolations(axe(page), 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectNoViolations(axe(page).withRules(OF_COLOUR), 'dark');
  await page.setViewportSize(NARROW);
  expect(await sidewaysOverflow(page), `${page.url()} at ${NARROW.width} px`).toBeLessThanOrEqual(0);
  if (size) await page.setViewportSize(size);
}

/** By how many pixels the page is wider than its window. */
export function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** In one frame and without a page of its own to finish in, which takes half as long. */
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page })
    .options({ resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } })
    .setLegacyMode();
}

async function expectNoViolations(builder: AxeBuilder, theme: string): Promise<void> {
  const { violations, passes, url } = await builder.analyze();
  expect(passes.length, 'rules that axe could apply').toBeGreaterThan(0);
  const found = violations.map(
    ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`,
  );
  expect(found, `${url}, ${theme}`).toEqual([]);
}
