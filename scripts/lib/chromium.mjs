/** Finds a Chromium for the end-to-end tests: CHROMIUM_PATH, an installed one, Playwright's own, or the distribution's package. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { exitOf, start, startTool, StepFailed } from './processes.mjs';

/**
 * The headless shell comes first: it draws no window, so a page costs it less than half as much. Debian has it; older releases and Ubuntu
 * do not.
 */
const PACKAGES = ['chromium-headless-shell', 'chromium'];
/** Full browsers. The headless shell keeps no device keys. */
const FULL = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const NAMES = ['chromium-headless-shell', ...FULL];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];
/** Ends a step that hangs. By default, Playwright tries to connect five times and waits 30 s each time. */
const options = {
  stdio: /** @type {const} */ ('ignore'),
  timeout: 240_000,
  env: { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '8000', DEBIAN_FRONTEND: 'noninteractive', ...process.env },
};

/** The first installed Chromium that runs, or `null`. Throws `StepFailed` if CHROMIUM_PATH names one that does not run. */
export function installedChromium() {
  const { CHROMIUM_PATH: chosen } = process.env;
  if (chosen && !runs(chosen)) {
    throw new StepFailed(`CHROMIUM_PATH is "${chosen}", which does not run: correct it, or unset it.`);
  }
  return chosen || firstThatRuns(NAMES);
}

/** An installed full Chromium, for device keys (tests/bound), or `null`. */
export const fullChromium = () => firstThatRuns(FULL);

/**
 * Like `fullChromium`, but installs one if apt-get can. Without one, those tests cannot run, and it says so.
 *
 * @returns {Promise<void>}
 */
export async function wantFullChromium() {
  if (fullChromium()) return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    console.log('Device keys need a whole Chromium: installing the system package chromium with apt-get …');
    await aptInstall('chromium');
  }
  if (!fullChromium()) {
    console.log(
      'NOT TESTED in a real browser: sessions bound to a device. That needs a whole Chromium or Chrome, and there is none here; a client with its own key is tested instead.',
    );
  }
}

/** @param {string[]} names */
function firstThatRuns(names) {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const places = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...places, ...APPLICATIONS].find(runs) ?? null;
}

/** @param {string} name */
async function aptInstall(name) {
  await exitOf(start('apt-get', ['update'], options));
  await exitOf(start('apt-get', ['install', '-y', '--no-install-recommends', name], options));
}

/** Like `installedChromium`, but gets one if there is none. `null` means Playwright's own. Throws `StepFailed` if none can be had. */
export async function requireChromium() {
  const found = installedChromium();
  if (found || (await playwrightsRuns())) return found;
  console.log("There is no Chromium here: downloading Playwright's …");
  await exitOf(startTool('playwright', ['install', 'chromium', '--only-shell'], options));
  if (await playwrightsRuns()) return null;
  const apt = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
  for (const name of apt ? PACKAGES : []) {
    console.log(`It did not come, or does not run: installing the system package ${name} with apt-get …`);
    await aptInstall(name);
    // The package's dependencies may also be what Playwright's Chromium lacked.
    const installed = installedChromium();
    if (installed || (await playwrightsRuns())) return installed;
  }
  throw new StepFailed(
    'The end-to-end tests need Chromium, and it could not be downloaded: install Chromium or Chrome (Debian: "apt-get install ' +
      'chromium-headless-shell"), or name one with CHROMIUM_PATH=/path/to/chrome.',
  );
}

/** A downloaded Chromium may lack shared libraries, which shows only when it starts. */
async function playwrightsRuns() {
  const { chromium } = await import('@playwright/test');
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  return chromium.launch({ args }).then(
    (browser) => browser.close().then(() => true),
    () => false,
  );
}

/**
 * That the file exists is not enough: Ubuntu's chromium-browser asks for a snap. (On Windows, `--version` opens a window instead of
 * printing.)
 *
 * @param {string} path
 */
function runs(path) {
  const windows = process.platform === 'win32';
  return existsSync(path) && (windows || spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0);
}
