import { defineConfig, devices } from '@playwright/test';
import config from '../../playwright.config';

/** `npm run screenshots`: takes the pictures in docs/images, on the servers of the end-to-end tests, whose stores start empty. */
export default defineConfig({
  ...config,
  testDir: '.',
  testMatch: ['take.ts', 'record-race.ts'],
  // Starts the servers from the root, because Playwright starts a server in its config's folder.
  webServer: [config.webServer ?? []].flat().map((server) => ({ ...server, cwd: process.cwd() })),
  projects: [
    {
      name: 'screenshots',
      use: {
        ...config.projects?.[0]?.use,
        ...devices['Desktop Chrome'],
        // Like today's screens: two device pixels per CSS pixel.
        deviceScaleFactor: 2,
        contextOptions: { reducedMotion: 'reduce' },
      },
    },
  ],
});
