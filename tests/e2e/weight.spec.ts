import { gzipSync } from 'node:zlib';
import { compressedBytes, modulesIn, withWorkerBundle } from '../../scripts/lib/worker-bundle.mjs';
import { expect, test } from './fixtures';

/** All scripts together, compressed: what the page loads before anybody uses a form and before its first look. */
const SESSIONS_SCRIPTS_MAX_BYTES = 48_000;
/** All modules together, compressed. The free plan allows 3 MB (Workers, limits). Two thirds of it are Prisma's query compiler. */
const WORKER_MAX_BYTES = 1_050_000;

test('the sessions page loads at most 48 kB of JavaScript', async ({ newDevice, request, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
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

test('the compressed worker is at most 1.05 MB, as it would be uploaded', async () => {
  const modules = await withWorkerBundle(modulesIn);
  expect(modules.map(({ path }) => path)).toContainEqual(expect.stringMatching(/\.wasm$/));
  expect(await compressedBytes(modules)).toBeLessThanOrEqual(WORKER_MAX_BYTES);
});
