import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from '@playwright/test';
import { exitOf, signalGroup, start, startTool, StepFailed } from './processes.mjs';

/** The headless shell first: it has no window to draw, so each page costs it less than half as much. */
const NAMES = [
  'chromium-headless-shell',
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
];
/** Debian has the first, older releases and Ubuntu the second alone. */
const PACKAGES = ['chromium-headless-shell', 'chromium'];
const APPLICATIONS = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

const VERSION_WITHIN_MILLISECONDS = 20_000;
const DOWNLOAD_WITHIN_MILLISECONDS = 180_000;
const PACKAGES_WITHIN_MILLISECONDS = 240_000;
/** What Playwright waits for a connection to its download host, in milliseconds; its own default is 30 s, times five tries. */
const CONNECT_WITHIN = '8000';

/**
 * The Chromium installed on this machine that runs: CHROMIUM_PATH, or one in the usual places; `null` without one.
 * Playwright's own is not among them: Playwright finds it by itself.
 * Throws `StepFailed` when CHROMIUM_PATH names one that does not run.
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {string | null}
 */
export function installedChromium(env = process.env) {
  const chosen = env.CHROMIUM_PATH;
  if (chosen) {
    if (runs(chosen)) return chosen;
    throw new StepFailed(`CHROMIUM_PATH is "${chosen}", which does not run: correct it, or unset it.`);
  }
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  const onPath = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...APPLICATIONS].find(runs) ?? null;
}

/**
 * As `installedChromium`, and gets one when there is none: Playwright's download, then, as root on Debian or Ubuntu,
 * the distribution's package. `null` stands for Playwright's own, which it finds by itself.
 * Throws `StepFailed` with what to do when none can be had.
 * @returns {Promise<string | null>}
 */
export async function requireChromium() {
  const found = installedChromium();
  if (found) return found;
  if ((await playwrightsOwnRuns()) || (await downloadFromPlaywright())) return null;
  await installPackage();
  const installed = installedChromium();
  if (installed) return installed;
  throw new StepFailed(
    'The end-to-end tests need Chromium, and none could be found, downloaded or installed. Install Chromium or ' +
      'Chrome (Debian: "apt-get install chromium-headless-shell"), or name one: "CHROMIUM_PATH=/path/to/chrome npm test".',
  );
}

/** @returns {boolean} whether this process may install packages with apt */
function mayInstallPackages() {
  return process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

/** A downloaded one may lack shared libraries: only starting it tells. */
async function playwrightsOwnRuns() {
  try {
    const browser = await chromium.launch({ args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
    await browser.close();
    return true;
  } catch {
    return false;
  }
}

/** @returns {Promise<boolean>} whether Playwright has a Chromium now that runs */
async function downloadFromPlaywright() {
  console.log("No Chromium here: trying Playwright's download …");
  const env = { PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: CONNECT_WITHIN, ...process.env };
  const download = startTool('playwright', ['install', 'chromium', '--only-shell'], { env, stdio: 'ignore' });
  if ((await endOf(download, DOWNLOAD_WITHIN_MILLISECONDS)) !== 0) return false;
  if (await playwrightsOwnRuns()) return true;
  if (!mayInstallPackages()) return false;
  const libraries = startTool('playwright', ['install-deps', 'chromium'], { stdio: 'ignore' });
  await endOf(libraries, PACKAGES_WITHIN_MILLISECONDS);
  return playwrightsOwnRuns();
}

async function installPackage() {
  if (!mayInstallPackages()) return;
  console.log('Trying the chromium package of this distribution …');
  if ((await apt(['update'])) !== 0) return;
  for (const name of PACKAGES) {
    if ((await apt(['install', '-y', '--no-install-recommends', name])) === 0) return;
  }
}

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
function apt(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  return endOf(start('apt-get', args, { env, stdio: 'ignore' }), PACKAGES_WITHIN_MILLISECONDS);
}

/**
 * The exit code of a child that is ended when it takes too long.
 * @param {import('node:child_process').ChildProcess} child
 * @param {number} milliseconds
 */
async function endOf(child, milliseconds) {
  const timer = setTimeout(() => signalGroup(child, 'SIGTERM'), milliseconds);
  try {
    return await exitOf(child);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Whether a browser starts. Ubuntu's chromium-browser is a stub that asks for a snap: being there is not enough.
 * @param {string} path
 */
function runs(path) {
  if (!existsSync(path)) return false;
  // On Windows `--version` opens a window instead of answering.
  if (process.platform === 'win32') return true;
  return (
    spawnSync(path, ['--version'], { timeout: VERSION_WITHIN_MILLISECONDS, stdio: 'ignore' }).status === 0
  );
}
