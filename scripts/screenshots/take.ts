/** Takes the pictures in docs/images, for a user who has signed in from several devices. */
import { readFileSync } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { expect, test, type APIResponse, type Page } from '@playwright/test';
import sharp from 'sharp';

const IMAGES_FOLDER = 'docs/images';
const IMAGE_MAX_BYTES = 120_000;
const COLOURS = 16;
const WIDTHS = { wide: { width: 1120, height: 770 }, phone: { width: 390, height: 780 } };

const MINUTE_MILLISECONDS = 60_000;
const HOUR_MILLISECONDS = 60 * MINUTE_MILLISECONDS;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;
const ACTIVE_PERIOD_MILLISECONDS = HOUR_MILLISECONDS;

const USER = { username: 'ada', password: 'a lamp, a map and 7 boats' };

const WEBKIT = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
const CHROME = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36';

/** User agent, place, and how long ago it signed in and was active, in milliseconds. The pictures are taken on the first device. */
const DEVICES: [
  agent: string,
  country: string,
  city: string,
  signedIn: number,
  active: number,
  name?: string,
][] = [
  [`Mozilla/5.0 (X11; Linux x86_64) ${CHROME}`, 'PT', 'Lisbon', 12 * DAY_MILLISECONDS, 0],
  [
    `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${CHROME} Edg/144.0.0.0`,
    'BR',
    'São Paulo',
    25 * MINUTE_MILLISECONDS,
    25 * MINUTE_MILLISECONDS,
  ],
  [
    `Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) ${WEBKIT} Version/26.1 Mobile/15E148 Safari/604.1`,
    'PT',
    'Lisbon',
    9 * DAY_MILLISECONDS,
    2 * HOUR_MILLISECONDS,
    'My phone',
  ],
  [
    'Mozilla/5.0 (Android 16; Mobile; rv:146.0) Gecko/146.0 Firefox/146.0',
    'DE',
    'Berlin',
    6 * DAY_MILLISECONDS,
    3 * DAY_MILLISECONDS,
  ],
  [
    `Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) ${WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1`,
    'JP',
    'Kyoto',
    40 * DAY_MILLISECONDS,
    17 * DAY_MILLISECONDS,
  ],
];

test('pictures of the sessions and the home page, in two widths and two colour schemes', async ({
  browser,
}) => {
  await mkdir(IMAGES_FOLDER, { recursive: true });
  const pages: Page[] = [];
  for (const [userAgent] of DEVICES) {
    const page = await (await browser.newContext({ userAgent })).newPage();
    await enter(page, pages.length === 0 ? 'Sign up' : 'Sign in');
    pages.push(page);
  }
  const [page] = pages;
  if (!page) throw new Error('There is no device to take pictures on.');
  await furnish(page);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const [size, viewport] of Object.entries(WIDTHS)) {
      await page.setViewportSize(viewport);
      await take(page, '/sessions', `sessions-${size}-${colorScheme}.png`);
      await take(page, '/', `home-${size}-${colorScheme}.png`);
    }
  }
});

async function enter(page: Page, how: 'Sign up' | 'Sign in'): Promise<void> {
  await open(page, how === 'Sign up' ? '/signup' : '/login');
  await page.getByLabel('Username').fill(USER.username);
  await page.getByLabel('Password', { exact: true }).fill(USER.password);
  await page.getByRole('main').getByRole('button', { name: how }).click();
  await page.waitForURL('/sessions');
}

/** Opens a page and waits until it is hydrated: Kit then adds its route announcer. */
async function open(page: Page, path: string): Promise<void> {
  await page.goto(path);
  await page.locator('#svelte-announcer').waitFor({ state: 'attached' });
}

/** Gives the sessions their places and their past, in KV. Locally, every visitor comes from nowhere and signed in just now. */
async function furnish(page: Page): Promise<void> {
  const namespace = /^id = "([^"]+)"/m.exec(readFileSync('wrangler.toml', 'utf8'))?.[1];
  const kv = `/cdn-cgi/local/explorer/api/storage/kv/namespaces/${namespace}`;
  const { result: listed } = await answer(await page.request.get(`${kv}/keys`));
  const keys = listed
    .map(({ name }: { name: string }) => name)
    .filter((name: string) => name.startsWith('session:'));
  const { result } = await answer(await page.request.post(`${kv}/bulk/get`, { data: { keys } }));
  const now = Date.now();
  const records = Object.entries<string>(result.values).map(([key, value]) => ({
    key,
    session: JSON.parse(value),
  }));
  records.sort((a, b) => a.session.created_at - b.session.created_at);
  expect(records).toHaveLength(DEVICES.length);
  const furnished = DEVICES.map(([, country, city, signedIn, active, name], i) => {
    const { key = '', session } = records[i] ?? {};
    const changed = {
      ...session,
      place: { country, city },
      created_at: now - signedIn,
      active_expires: now - active + ACTIVE_PERIOD_MILLISECONDS,
      ...(name && { name }),
    };
    const expiration = Math.floor(session.idle_expires / 1_000);
    return { key, value: JSON.stringify(changed), metadata: changed, expiration };
  });
  await answer(await page.request.put(`${kv}/bulk`, { data: furnished }));

  // Sets the last visit to yesterday, so that one session is new.
  const visits = (await page.context().cookies()).find(({ name }) => name === 'visits');
  if (!visits) throw new Error('The sessions page set no cookie "visits".');
  const [userId] = visits.value.split('.');
  await page.context().addCookies([{ ...visits, value: `${userId}.${now - DAY_MILLISECONDS}.${now}` }]);
}

async function answer(response: APIResponse) {
  expect(response, response.url()).toBeOK();
  return response.json();
}

async function take(page: Page, path: string, file: string): Promise<void> {
  await open(page, path);
  const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  const target = `${IMAGES_FOLDER}/${file}`;
  await sharp(picture).png({ palette: true, colours: COLOURS, dither: 0, effort: 10 }).toFile(target);
  const { size } = await stat(target);
  console.log(`${target}: ${Math.round(size / 1_000)} kB`);
  expect(size, file).toBeLessThan(IMAGE_MAX_BYTES);
}
