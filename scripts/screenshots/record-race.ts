/** Records /race as an animation: in real time, but shown faster, because the left side takes a minute. */
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from '@playwright/test';
import sharp from 'sharp';

const FILE = 'docs/images/race.gif';
const MAX_BYTES = 1_500_000;
const COLOURS = 32;

/** When to take a picture, in seconds after the end. */
const ENDED_SECONDS = [0.4, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 59, 62];
/** How long each picture is shown. */
const SHOWN_MILLISECONDS = { ready: 1_200, running: 1_500, ended: 350, last: 4_000 };

test.use({ viewport: { width: 960, height: 640 }, deviceScaleFactor: 1, colorScheme: 'light' });

test('the race, as a moving picture', async ({ page }) => {
  const pictures: Buffer[] = [];
  const delay: number[] = [];
  const take = async (milliseconds: number) => {
    pictures.push(await page.screenshot({ caret: 'hide' }));
    delay.push(milliseconds);
  };
  await page.goto('/race');
  await page.locator('#svelte-announcer').waitFor({ state: 'attached' });
  await take(SHOWN_MILLISECONDS.ready);
  await page.getByRole('button', { name: 'Sign both phones in' }).click();
  const end = page.getByRole('button', { name: 'End both sessions' });
  await end.hover();
  await take(SHOWN_MILLISECONDS.running);
  await end.click();
  await page.getByText('Refused').waitFor();
  const endedAt = Date.now();
  for (const second of ENDED_SECONDS) {
    // Waits in real time, so that each picture shows what the page really showed then.
    await expect.poll(() => Date.now() - endedAt, { intervals: [50] }).toBeGreaterThanOrEqual(second * 1_000);
    await take(SHOWN_MILLISECONDS.ended);
  }
  await take(SHOWN_MILLISECONDS.last);

  await mkdir(dirname(FILE), { recursive: true });
  const moving = sharp(pictures, { join: { animated: true } });
  await moving.gif({ delay, loop: 0, colours: COLOURS, dither: 0, effort: 10 }).toFile(FILE);
  const { size } = await stat(FILE);
  console.log(`${FILE}: ${Math.round(size / 1_000)} kB`);
  expect(size).toBeLessThan(MAX_BYTES);
});
