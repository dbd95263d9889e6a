/**
 * Serves the built app for the end-to-end tests: `node scripts/serve-test.mjs <layout> <port>`. That of the index layout does not show
 * what an answer cost, so that both of that choice are tested as well.
 * Every run starts on empty KV and D1, in a folder of its own.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { portFrom, requireFreePort } from './lib/port.mjs';
import { main, ROOT, StepFailed } from './lib/processes.mjs';
import { servePages } from './lib/serve.mjs';
import { ensureDevVars, migrate } from './lib/steps.mjs';

await main(async () => {
  const [layout, portText] = process.argv.slice(2);
  if (layout !== 'owner' && layout !== 'index') {
    throw new StepFailed('Usage: node scripts/serve-test.mjs <owner | index> <port>');
  }
  const port = portFrom(portText, 0);
  await requireFreePort(port);
  const stateFolder = `.wrangler/e2e/${layout}`;
  rmSync(join(ROOT, stateFolder), { recursive: true, force: true });
  ensureDevVars();
  await migrate(stateFolder);
  const { ended } = await servePages({ port, stateFolder, layout, showCost: layout === 'owner' });
  return await ended;
});
