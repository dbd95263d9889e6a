/**
 * `npm run screenshots`: makes the pictures in docs/images from the built demo, which it serves on a port and on state
 * of its own, with a user who has signed in from several devices. SKIP_BUILD=1 takes the build that is there.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium } from '@playwright/test';
import sharp from 'sharp';
import { requireChromium } from './lib/chromium.mjs';
import { portFrom, requireFreePort } from './lib/port.mjs';
import { main, ROOT, StepFailed } from './lib/processes.mjs';
import { serve } from './lib/serve.mjs';
import { build, generateClient, migrate } from './lib/steps.mjs';

const STATE_FOLDER = '.wrangler/screenshots';
const IMAGES_FOLDER = join(ROOT, 'docs/images');
const IMAGE_MAX_BYTES = 120_000;
/** What a screen of today has: two pixels for each of CSS. */
const SCALE = 2;
const COLOURS = 16;

const WIDTHS = /** @type {const} */ ({
  wide: { width: 1120, height: 770 },
  phone: { width: 390, height: 780 },
});

const MINUTE_MILLISECONDS = 60_000;
const HOUR_MILLISECONDS = 60 * MINUTE_MILLISECONDS;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;
const ACTIVE_PERIOD_MILLISECONDS = HOUR_MILLISECONDS;

const USER = { username: 'ada', password: 'a lamp, a map and 7 boats' };

/**
 * The first is the device that the pictures are taken on.
 * @type {{ userAgent: string, place: { country: string, city: string }, signedIn: number, lastActive: number, name?: string }[]}
 */
const DEVICES = [
  {
    userAgent:
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36',
    place: { country: 'PT', city: 'Lisbon' },
    signedIn: 12 * DAY_MILLISECONDS,
    lastActive: 0,
  },
  {
    userAgent:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0',
    place: { country: 'BR', city: 'São Paulo' },
    signedIn: 25 * MINUTE_MILLISECONDS,
    lastActive: 25 * MINUTE_MILLISECONDS,
  },
  {
    userAgent:
      'Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1',
    place: { country: 'PT', city: 'Lisbon' },
    signedIn: 9 * DAY_MILLISECONDS,
    lastActive: 2 * HOUR_MILLISECONDS,
    name: 'My phone',
  },
  {
    userAgent: 'Mozilla/5.0 (Android 16; Mobile; rv:146.0) Gecko/146.0 Firefox/146.0',
    place: { country: 'DE', city: 'Berlin' },
    signedIn: 6 * DAY_MILLISECONDS,
    lastActive: 3 * DAY_MILLISECONDS,
  },
  {
    userAgent:
      'Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1',
    place: { country: 'JP', city: 'Kyoto' },
    signedIn: 40 * DAY_MILLISECONDS,
    lastActive: 17 * DAY_MILLISECONDS,
  },
];

/** @typedef {import('@playwright/test').Page} Page */

await main(async () => {
  const executablePath = (await requireChromium()) ?? undefined;
  if (process.env.SKIP_BUILD !== '1') {
    await generateClient();
    await build();
  }
  const port = portFrom('PORT', 8797);
  await requireFreePort(port, 'PORT');
  rmSync(join(ROOT, STATE_FOLDER), { recursive: true, force: true });
  await migrate(STATE_FOLDER);
  const { address } = await serve({ port, stateFolder: STATE_FOLDER });

  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args });
  try {
    await takePictures(browser, address);
  } finally {
    await browser.close();
  }
});

/**
 * @param {import('@playwright/test').Browser} browser
 * @param {string} address
 */
async function takePictures(browser, address) {
  mkdirSync(IMAGES_FOLDER, { recursive: true });
  /** @type {Page[]} */
  const pages = [];
  for (const { userAgent } of DEVICES) {
    const context = await browser.newContext({
      baseURL: address,
      userAgent,
      deviceScaleFactor: SCALE,
      locale: 'en-GB',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    pages.push(page);
    await enter(page, pages.length === 1 ? 'Sign up' : 'Sign in');
  }
  const [page] = pages;
  if (!page) throw new StepFailed('There is no device to take pictures on.');
  await furnish(page);

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of Object.entries(WIDTHS)) {
      await page.setViewportSize(viewport);
      await take(page, '/sessions', `sessions-${size}-${colorScheme}.png`);
      await take(page, '/', `home-${size}-${colorScheme}.png`);
    }
  }
}

/**
 * @param {Page} page
 * @param {'Sign up' | 'Sign in'} how
 */
async function enter(page, how) {
  await page.goto(how === 'Sign up' ? '/signup' : '/login');
  await untilLive(page);
  await page.getByLabel('Username').fill(USER.username);
  await page.getByLabel('Password', { exact: true }).fill(USER.password);
  await page.getByRole('main').getByRole('button', { name: how }).click();
  await page.waitForURL('/sessions');
}

/**
 * Kit adds its route announcer once a page is live.
 * @param {Page} page
 */
async function untilLive(page) {
  await page.locator('#svelte-announcer').waitFor({ state: 'attached' });
}

/**
 * Gives the sessions their places and their past, in KV: locally every visitor comes from nowhere, just now.
 * @param {Page} page the first device's
 */
async function furnish(page) {
  const kv = `/cdn-cgi/local/explorer/api/storage/kv/namespaces/${namespaceId()}`;
  const { result: keys } = await answer(await page.request.get(`${kv}/keys`));
  const names = keys.map((/** @type {{ name: string }} */ { name }) => name);
  const { result } = await answer(await page.request.post(`${kv}/bulk/get`, { data: { keys: names } }));
  const now = Date.now();
  const records = Object.entries(result.values).map(([key, value]) => ({ key, session: JSON.parse(value) }));
  records.sort((a, b) => a.session.created_at - b.session.created_at);
  if (records.length !== DEVICES.length) throw new StepFailed(`KV has ${records.length} sessions.`);
  const furnished = records.map(({ key, session }, index) => {
    const { place, signedIn, lastActive, name } = DEVICES[index] ?? {};
    const changed = {
      ...session,
      place,
      created_at: now - signedIn,
      active_expires: now - lastActive + ACTIVE_PERIOD_MILLISECONDS,
      ...(name && { name }),
    };
    const expiration = Math.floor(session.idle_expires / 1_000);
    return { key, value: JSON.stringify(changed), metadata: changed, expiration };
  });
  await answer(await page.request.put(`${kv}/bulk`, { data: furnished }));

  // The visit before this one was yesterday: one session is new since.
  const [visits] = (await page.context().cookies()).filter(({ name }) => name === 'visits');
  if (!visits) throw new StepFailed('The sessions page set no cookie "visits".');
  const [userId] = visits.value.split('.');
  await page.context().addCookies([{ ...visits, value: `${userId}.${now - DAY_MILLISECONDS}.${now}` }]);
}

/** The id of the KV namespace that local mode serves: the first in wrangler.toml. */
function namespaceId() {
  const id = /^id = "([^"]+)"/m.exec(readFileSync(join(ROOT, 'wrangler.toml'), 'utf8'))?.[1];
  if (!id) throw new StepFailed('wrangler.toml names no KV namespace.');
  return id;
}

/** @param {import('@playwright/test').APIResponse} response */
async function answer(response) {
  if (!response.ok()) throw new StepFailed(`${response.url()} answered ${response.status()}.`);
  return response.json();
}

/**
 * @param {Page} page
 * @param {string} path
 * @param {string} file
 */
async function take(page, path, file) {
  await page.goto(path);
  await untilLive(page);
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  const target = join(IMAGES_FOLDER, file);
  await sharp(picture).png({ palette: true, colours: COLOURS, dither: 0, effort: 10 }).toFile(target);
  const { size } = await stat(target);
  console.log(`docs/images/${file}: ${Math.round(size / 1_000)} kB`);
  if (size > IMAGE_MAX_BYTES) throw new StepFailed(`${file} is larger than ${IMAGE_MAX_BYTES / 1_000} kB.`);
}
