import { cloudflareTest, readD1Migrations } from '@cloudflare/vitest-plugin';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const alias = {
  $lib: fileURLToPath(new URL('./src/lib', import.meta.url)),
};

/** What `npm test` leaves to `npm run test:deep`: docs/decisions/0012. */
const DEEP = process.env.DEEP === '1';

/** In workerd Prisma's client must be its edge build; Vitest's resolver would take the one for Node. */
const workerdAlias = { ...alias, '@prisma/client': '@prisma/client/edge' };

/**
 * Two rooms: `workerd` runs in the Workers runtime on real local KV and D1; `node` holds what must run outside it
 * (Miniflare driven from Node, the bulk of the simulation on an in-process SQLite, checks of the tree).
 * A file's name says which: `*.test.ts` runs in workerd, `*.node.test.ts` in Node.
 */
export default defineConfig(async () => ({
  test: {
    // Every core: by default Vitest leaves one to its own process, which has little to do here.
    maxWorkers: '100%',
    // What the app writes to the console is of use where something failed.
    silent: 'passed-only',
    // A busy machine is not a fault of the code: what hangs is still found.
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
          expect: { requireAssertions: true },
        },
      },
    ],
  },
}));
