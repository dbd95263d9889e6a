import { defineConfig, devices } from '@playwright/test';
import config from '../../playwright.config';

/** `npm run screenshots`: the pictures in docs/images, on the servers of the end-to-end tests, whose state is empty. */
export default defineConfig({
  ...config,
  testDir: '.',
  testMatch: ['take.ts', 'record-race.ts'],
  // Started from the root: Playwright starts a server in its config's folder.
  webServer: [config.webServer ?? []].flat().map((server) => ({ ...server, cwd: process.cwd() })),
  projects: [
    {
      name: 'screenshots',
      use: {
        ...config.projects?.[0]?.use,
        ...devices['Desktop Chrome'],
        // What a screen of today has: two pixels for each of CSS.
        deviceScaleFactor: 2,
        contextOptions: { reducedMotion: 'reduce' },
      },
    },
  ],
});
