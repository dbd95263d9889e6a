import { gzipSync } from 'node:zlib';
import { expect, test } from './fixtures';

/** Of all scripts together, compressed. */
const SESSIONS_SCRIPTS_MAX_BYTES = 45_000;

test('the sessions page loads at most 45 kB of JavaScript', async ({ newDevice, request, user }) => {
  const device = await newDevice();
  await device.signUp(user);
  await device.visit('/sessions');
  const scripts = await device.page.evaluate(() =>
    performance
      .getEntriesByType('resource')
      .map(({ name }) => name)
      .filter((name) => new URL(name).pathname.endsWith('.js')),
  );
  const sizes = await Promise.all(
    [...new Set(scripts)].map(async (url) => {
      const response = await request.get(url);
      expect(response.status()).toBe(200);
      return gzipSync(await response.body()).length;
    }),
  );
  expect(sizes.length).toBeGreaterThan(1);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(SESSIONS_SCRIPTS_MAX_BYTES);
});
