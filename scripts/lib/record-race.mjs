/** Records /race as a moving picture: in real time, and then told faster, as the left side takes a minute. */
import { stat } from 'node:fs/promises';
import sharp from 'sharp';
import { StepFailed } from './processes.mjs';

const MAX_BYTES = 1_500_000;
const VIEWPORT = { width: 960, height: 640 };
const COLOURS = 32;

/** After the end, in seconds: when a frame is taken. */
const ENDED_SECONDS = [0.4, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 59, 62];
const FRAME_MILLISECONDS = { ready: 1_200, running: 1_500, ended: 350, last: 4_000 };

/**
 * @param {import('@playwright/test').Browser} browser
 * @param {string} address
 * @param {string} file
 */
export async function recordRace(browser, address, file) {
  const context = await browser.newContext({ baseURL: address, viewport: VIEWPORT, colorScheme: 'light' });
  const page = await context.newPage();
  /** @type {{ picture: Buffer, delay: number }[]} */
  const frames = [];
  /** @param {number} delay */
  const take = async (delay) => {
    frames.push({ picture: await page.screenshot({ caret: 'hide' }), delay });
  };
  await page.goto('/race');
  await page.locator('#svelte-announcer').waitFor({ state: 'attached' });
  await take(FRAME_MILLISECONDS.ready);
  await page.getByRole('button', { name: 'Sign both phones in' }).click();
  const end = page.getByRole('button', { name: 'End both sessions' });
  await end.waitFor();
  await end.hover();
  await take(FRAME_MILLISECONDS.running);
  await end.click();
  await page.getByText('Refused').waitFor();
  const endedAt = Date.now();
  for (const second of ENDED_SECONDS) {
    await page.waitForTimeout(Math.max(endedAt + second * 1_000 - Date.now(), 0));
    await take(FRAME_MILLISECONDS.ended);
  }
  await take(FRAME_MILLISECONDS.last);
  await context.close();

  const pictures = frames.map(({ picture }) => picture);
  const delay = frames.map((frame) => frame.delay);
  const moving = sharp(pictures, { join: { animated: true } });
  await moving.gif({ delay, loop: 0, colours: COLOURS, dither: 0, effort: 10 }).toFile(file);
  const { size } = await stat(file);
  console.log(`${file}: ${Math.round(size / 1_000)} kB`);
  if (size > MAX_BYTES) throw new StepFailed(`${file} is larger than ${MAX_BYTES / 1_000} kB.`);
}
