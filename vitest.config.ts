import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const alias = {
  $lib: fileURLToPath(new URL('./src/lib', import.meta.url)),
};

/** Whether to run the tests that `npm test` leaves to `npm run test:deep`: docs/decisions/0012. */
const DEEP = process.env.DEEP === '1';

/** In workerd, Prisma's client must be its edge build. Vitest's resolver would pick the build for Node. */
const workerdAlias = { ...alias, '@prisma/client': '@prisma/client/edge' };

/**
 * Two projects. `workerd` runs in the Workers runtime with real local KV and D1. `node` runs what must stay outside of it: Miniflare driven
 * from Node, most of the simulation (on an in-process SQLite), and checks of the source tree. The file name decides: `*.test.ts` runs in
 * workerd, `*.node.test.ts` in Node.
 */
export default defineConfig(async () => ({
  test: {
    // Uses every core. By default Vitest keeps one for its own process, which has little to do here.
    maxWorkers: '100%',
    // The app's console output is only useful for a test that failed.
    silent: 'passed-only',
    // The limit is generous because a busy machine is not a bug in the code. A test that hangs still fails.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: {
              bindings: {
                TEST_MIGRATIONS: await readD1Migrations('prisma/migrations'),
                DEEP: DEEP ? '1' : '',
              },
            },
          }),
        ],
        resolve: { alias: workerdAlias },
        test: {
          name: 'workerd',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/**/*.node.test.ts', 'tests/e2e/**'],
          setupFiles: ['tests/setup/workerd.ts'],
          expect: { requireAssertions: true },
        },
      },
      {
        resolve: { alias },
        test: {
          name: 'node',
          environment: 'node',
          include: ['tests/**/*.node.test.ts'],
          exclude: DEEP ? [] : ['tests/**/*.deep.node.test.ts'],
          setupFiles: ['tests/setup/node.ts'],
          expect: { requireAssertions: true },
        },
      },
    ],
  },
}));
