import { defineConfig, devices } from '@playwright/test';
import { fullChromium, installedChromium } from './scripts/lib/chromium.mjs';
import { E2E_PORT } from './scripts/lib/steps.mjs';

const ownerPort = Number(process.env.E2E_PORT || E2E_PORT);
const indexPort = ownerPort + 1;

/** If `undefined`, Playwright uses its own browser. `npm run test:e2e` checks that one of the two is installed. */
const executablePath = installedChromium() ?? undefined;

const isRoot = process.getuid?.() === 0;

const browser = {
  ...devices['Desktop Chrome'],
  launchOptions: {
    executablePath,
    // Turns off Chromium's own background requests, so that only the app's requests reach the network.
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      // Chromium refuses to run its sandbox as root.
      ...(isRoot ? ['--no-sandbox'] : []),
    ],
  },
};

const WITHOUT_JAVASCRIPT = '**/*.no-js.spec.ts';

export default defineConfig({
  testDir: 'tests/e2e',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: true,
  // A test that passes on its second try has found a race, so it must fail.
  retries: 0,
  // Half of a test's time is spent waiting: for a page to settle, for a command to start.
  workers: 3,
  reporter: 'list',
  // The limit is generous because a busy machine is not a bug in the code. A test that hangs still fails.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  use: {
    trace: { mode: 'retain-on-failure', screenshots: false, snapshots: false },
    screenshot: 'only-on-failure',
    locale: 'en-GB',
    timezoneId: 'UTC',
  },
  projects: [
    {
      name: 'owner',
      testIgnore: [WITHOUT_JAVASCRIPT, '**/cost-off.spec.ts'],
      use: { ...browser, baseURL: `http://localhost:${ownerPort}` },
    },
    {
      name: 'index',
      // Tests that depend on how sessions are stored, or on another setting of this server.
      testMatch: '**/{cost-off,many-sign-ins,put-back,stored-records,tokens-at-rest}.spec.ts',
      use: { ...browser, baseURL: `http://localhost:${indexPort}` },
    },
    {
      name: 'no-js',
      testMatch: WITHOUT_JAVASCRIPT,
      use: { ...browser, baseURL: `http://localhost:${ownerPort}`, javaScriptEnabled: false },
    },
    {
      // Needs no browser. It runs in Playwright because it needs the same build.
      name: 'deploy',
      testDir: 'tests/deploy',
      testMatch: '**/*.spec.ts',
      // `npm test` leaves these to `npm run test:deep`: docs/decisions/0012.
      testIgnore: process.env.DEEP === '1' ? [] : '**/*.deep.spec.ts',
    },
    // Runs in a full browser over https. Without one the project is left out, and `npm test` says so.
    ...(fullChromium() ? [{ name: 'bound', testDir: 'tests/bound', testMatch: '**/*.spec.ts' }] : []),
    {
      // Needs no browser either.
      name: 'bare',
      testDir: 'tests/bare',
      testMatch: '**/*.spec.ts',
    },
  ],
  webServer: {
    // `exec` replaces the shell, so that a signal reaches the script itself.
    command: `${process.platform === 'win32' ? '' : 'exec '}"${process.execPath}" scripts/serve-test.mjs ${ownerPort}`,
    wait: { stdout: /All servers answer/ },
    timeout: 240_000,
    stdout: 'ignore',
    stderr: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
  },
});
