import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';

/** Fails when axe finds anything on the page as it is now, in the light theme or in the dark one. */
export async function expectNoAxeViolations(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    // No motion: a colour half-way through a transition is none of the theme's.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations, passes } = await new AxeBuilder({ page }).analyze();
    expect(passes.length, 'rules that axe could apply').toBeGreaterThan(0);
    const found = violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`,
    );
    expect(found, `${page.url()}, ${colorScheme}`).toEqual([]);
  }
}
