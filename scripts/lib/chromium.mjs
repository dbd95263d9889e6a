/** A Chromium for the end-to-end tests: CHROMIUM_PATH, an installed one, Playwright's own, or the distribution's package. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exitOf, start, startTool, StepFailed } from './processes.mjs';

/** The headless shell first: it has no window to draw, so each page costs it less than half as much. Debian has it, older ones and Ubuntu do not. */
const PACKAGES = ['chromium-headless-shell', 'chromium'];
const NAMES = [...PACKAGES, 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
/** Ends a step that hangs. Playwright tries to connect five times, and waits 30 s each time by itself. */
const options = {
  stdio: /** @type {const} */ ('ignore'),
  timeout: 240_000,
  env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '8000', DEBIAN_FRONTEND: 'noninteractive', ...process.env },
};

/** The installed Chromium that runs; `null` without one. Throws `StepFailed` when CHROMIUM_PATH names one that does not run. */
export function installedChromium() {
  const { CHROMIUM_PATH: chosen, PATH = '' } = process.env;
  if (chosen && !runs(chosen)) {
    throw new StepFailed(`CHROMIUM_PATH is "${chosen}", which does not run: correct it, or unset it.`);
  }
  const folders = PATH.split(delimiter).filter(Boolean);
  const places = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return chosen || ([...places, ...APPLICATIONS].find(runs) ?? null);
}

/** As `installedChromium`, and gets one if there is none; `null` is Playwright's own. Throws `StepFailed` when none can be had. */
export async function requireChromium() {
  const found = installedChromium();
  if (found || (await playwrightsRuns())) return found;
  console.log("There is no Chromium here: downloading Playwright's …");
  await exitOf(startTool('playwright', ['install', 'chromium', '--only-shell'], options));
  if (await playwrightsRuns()) return null;
  const apt = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  for (const name of apt ? PACKAGES : []) {
    console.log(`It did not come, or does not run: installing the system package ${name} with apt-get …`);
    await exitOf(start('apt-get', ['update'], options));
    await exitOf(start('apt-get', ['install', '-y', '--no-install-recommends', name], options));
    // What the package depends on may also be what Playwright's lacked.
    const installed = installedChromium();
    if (installed || (await playwrightsRuns())) return installed;
  }
  throw new StepFailed(
    'The end-to-end tests need Chromium, and it could not be downloaded: install Chromium or Chrome (Debian: "apt-get install ' +
      'chromium-headless-shell"), or name one with CHROMIUM_PATH=/path/to/chrome.',
  );
}

/** A downloaded one may lack shared libraries: only starting it tells. */
async function playwrightsRuns() {
  const { chromium } = await import('@playwright/test');
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ args }).then(
    (browser) => browser.close().then(() => true),
    () => false,
  );
}

/**
 * Being there is not enough: Ubuntu's chromium-browser asks for a snap. (On Windows `--version` opens a window instead of answering.)
 * @param {string} path
 */
function runs(path) {
  const windows = process.platform === 'win32';
  return existsSync(path) && (windows || spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0);
}
