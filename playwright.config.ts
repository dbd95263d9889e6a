import { defineConfig, devices } from '@playwright/test';
import { fullChromium, installedChromium } from './scripts/lib/chromium.mjs';
import { E2E_PORT } from './scripts/lib/steps.mjs';

const ownerPort = Number(process.env.E2E_PORT || E2E_PORT);
const indexPort = ownerPort + 1;

/** Left out, Playwright takes its own; `npm run test:e2e` sees to it that one of the two is there. */
const executablePath = installedChromium() ?? undefined;

const isRoot = process.getuid?.() === 0;

const browser = {
  ...devices['Desktop Chrome'],
  launchOptions: {
    executablePath,
    // Nothing but the app's own requests on the network.
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
  // A test that passes at its second try has found a race: it is to fail.
  retries: 0,
  // Half of a test's time is waiting: for a page to settle, for a command to start.
  workers: 3,
  reporter: 'list',
  // A busy machine is not a fault of the code: what hangs is still found.
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
      // What depends on how sessions are stored, and what its server does otherwise.
      testMatch: '**/{cost-off,many-sign-ins,put-back,stored-records,tokens-at-rest}.spec.ts',
      use: { ...browser, baseURL: `http://localhost:${indexPort}` },
    },
    {
      name: 'no-js',
      testMatch: WITHOUT_JAVASCRIPT,
      use: { ...browser, baseURL: `http://localhost:${ownerPort}`, javaScriptEnabled: false },
    },
    {
      // No browser: it is here because the build is.
      name: 'deploy',
      testDir: 'tests/deploy',
      testMatch: '**/*.spec.ts',
      // What `npm test` leaves to `npm run test:deep`: docs/decisions/0012.
      testIgnore: process.env.DEEP === '1' ? [] : '**/*.deep.spec.ts',
    },
    // In a whole browser, over https. Without one there is nothing to test it in, and `npm test` says so.
    ...(fullChromium() ? [{ name: 'bound', testDir: 'tests/bound', testMatch: '**/*.spec.ts' }] : []),
    {
      // Nor here.
      name: 'bare',
      testDir: 'tests/bare',
      testMatch: '**/*.spec.ts',
    },
  ],
  webServer: {
    // `exec` takes the place of the shell, so that a signal reaches the script itself.
    command: `${process.platform === 'win32' ? '' : 'exec '}"${process.execPath}" scripts/serve-test.mjs ${ownerPort}`,
    wait: { stdout: /All servers answer/ },
    timeout: 240_000,
    stdout: 'ignore',
    stderr: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
  },
});
