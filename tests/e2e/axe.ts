import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** The rules that depend on the theme. All other rules give the same result in both. */
const OF_COLOUR = ['color-contrast', 'link-in-text-block'];
const NARROW = { width: 320, height: 640 };

/**
 * Fails if axe finds anything on the current page. It applies every rule, including target sizes of 24 px (WCAG 2.2, 2.5.8), in the light
 * theme, and the rules about colour in the dark one. Also fails if the page scrolls sideways at 320 px (1.4.10).
 */
export async function expectAccessible(page: Page): Promise<void> {
  const size = page.viewportSize();
  await expect(page).toHaveTitle(/^.+ · Pages Sessions$/);
  // Without motion, because a colour in the middle of a transition belongs to no theme.
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await expectNoViolations(axe(page), 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  await expectNoViolations(axe(page).withRules(OF_COLOUR), 'dark');
  await page.setViewportSize(NARROW);
  expect(await sidewaysOverflow(page), `${page.url()} at ${NARROW.width} px`).toBeLessThanOrEqual(0);
  if (size) await page.setViewportSize(size);
}

/** Returns by how many pixels the page is wider than its window. */
export function sidewaysOverflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** Runs in one frame and without a separate page to finish in, which takes half as long. */
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
