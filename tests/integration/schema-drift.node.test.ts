import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { readD1Migrations } from '@cloudflare/vitest-plugin';
import { PrismaD1 } from '@prisma/adapter-d1';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import * as engine from '@prisma/schema-engine-wasm/schema_engine_bg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { getPlatformProxy } from 'wrangler';

/*
 * The SQL in prisma/migrations is written by hand, so only this test compares it to prisma/schema.prisma. Prisma's own schema engine does
 * the comparison, over the D1 that wrangler serves.
 */

const SCHEMA = 'prisma/schema.prisma';
const NO_DIFFERENCE = 0;
const DIFFERENCE = 2;

const require = createRequire(import.meta.url);
let platform: Awaited<ReturnType<typeof getPlatformProxy<Env>>>;

beforeAll(async () => {
  const wasm = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg').replace(/\.js$/, '.wasm');
  const imports = { './schema_engine_bg.js': { ...engine } };
  const module = await WebAssembly.compile(new Uint8Array(readFileSync(wasm)));
  const { exports } = await WebAssembly.instantiate(module, imports);
  engine.__wbg_set_wasm(exports);
  if (typeof exports.__wbindgen_start === 'function') exports.__wbindgen_start();

  platform = await getPlatformProxy<Env>({ persist: false });
});

afterAll(() => platform.dispose());

beforeEach(async () => {
  await emptyDatabase();
  for (const { queries } of await readD1Migrations('prisma/migrations')) {
    for (const query of queries) await platform.env.DB.prepare(query).run();
  }
});

test('the migrated database is what schema.prisma describes', async () => {
  const { exitCode, stdout } = await compare();
  expect(exitCode, stdout ?? '').toBe(NO_DIFFERENCE);
});

for (const [change, sql, finding] of [
  ['a column less', 'ALTER TABLE "RevokedSession" DROP COLUMN "reason"', /Redefined table `RevokedSession`/],
  ['a column more', 'ALTER TABLE "User" ADD COLUMN "nickname" TEXT', /Redefined table `User`/],
  ['an index less', 'DROP INDEX "Key_user_id_idx"', /Added index on columns \(user_id\)/],
  ['a table less', 'DROP TABLE "RevokedSession"', /Added tables\s+- RevokedSession/],
] as const) {
  test(`${change} in the database is found`, async () => {
    await platform.env.DB.prepare(sql).run();
    const { exitCode, stdout } = await compare();
    expect(exitCode).toBe(DIFFERENCE);
    expect(stdout).toMatch(finding);
  });
}

/** Returns what would have to change in the database to match schema.prisma. */
async function compare() {
  const content = readFileSync(SCHEMA, 'utf8');
  const files = [{ path: SCHEMA, content }];
  const d1 = new PrismaD1(platform.env.DB);
  const factory = bindMigrationAwareSqlAdapterFactory({
    provider: d1.provider,
    adapterName: d1.adapterName,
    connect: () => d1.connect(),
    connectToShadowDb: () => Promise.reject(new Error('a comparison needs no shadow database')),
  });
  const schemaEngine = await engine.SchemaEngine.new({ datamodels: [[SCHEMA, content]] }, () => {}, factory);
  try {
    return await schemaEngine.diff({
      from: { tag: 'schemaDatasource', files, configDir: 'prisma' },
      to: { tag: 'schemaDatamodel', files },
      script: false,
      exitCode: true,
      filters: { externalTables: [], externalEnums: [] },
    });
  } finally {
    schemaEngine.free();
  }
}

async function emptyDatabase() {
  const { results } = await platform.env.DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
  ).all<{ name: string }>();
  // Tables with references come last in the list and must be dropped first.
  for (const { name } of results.reverse()) await platform.env.DB.prepare(`DROP TABLE "${name}"`).run();
}
