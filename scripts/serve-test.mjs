/**
 * Serves the built app for the end-to-end tests: `node scripts/serve-test.mjs <owner | index> <port>`; Playwright's `webServer` waits for it
 * and stops it. That of the index layout does not show what an answer cost, so that both of that choice are tested as well.
 * WORKERS=1 serves it as a Worker, not as Pages. Every run starts on empty KV and D1, in a folder of its own.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { exitOf, main, ROOT } from './lib/processes.mjs';
import { startServer } from './lib/serve.mjs';
import { ensureDevVars, migrate } from './lib/steps.mjs';

await main(async () => {
  const [layout = 'owner', port] = process.argv.slice(2);
  const stateFolder = `.wrangler/e2e/${layout}`;
  rmSync(join(ROOT, stateFolder), { recursive: true, force: true });
  ensureDevVars();
  await migrate(stateFolder);
  const showCost = layout === 'owner' ? 'on' : 'off';
  const vars = { SESSION_LAYOUT: layout, SHOW_COST: showCost };
  const workers = process.env.WORKERS === '1';
  return exitOf(startServer({ port: Number(port), stateFolder, workers, vars }));
});
