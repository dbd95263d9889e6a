/**
 * Serves the built app for the end-to-end tests: `node scripts/serve-test.mjs <port>`, at that port and the next ones. Playwright's `webServer` waits
 * for what it says at last, and stops it. WORKERS=1 serves it as a Worker, not as Pages. Every run starts on empty KV and D1, each server's in a
 * folder of its own.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fullChromium } from './lib/chromium.mjs';
import { main, ROOT } from './lib/processes.mjs';
import { serve } from './lib/serve.mjs';
import { E2E_SERVERS, ensureDevVars, migrate } from './lib/steps.mjs';

const STATE_FOLDERS = '.wrangler/e2e';
/** Above the port of the first server. */
const INSPECTORS_FROM = 1_000;
const EMPTY = `${STATE_FOLDERS}/empty`;

await main(async () => {
  const port = Number(process.argv[2]);
  const workers = process.env.WORKERS === '1';
  rmSync(join(ROOT, STATE_FOLDERS), { recursive: true, force: true });
  ensureDevVars();
  await migrate(EMPTY);
  const all = E2E_SERVERS.map(async ({ name, ...server }, index) => {
    // Without a whole Chromium there is nothing to test device keys in.
    if (name === 'bound' && !fullChromium()) return [];
    const stateFolder = `${STATE_FOLDERS}/${name}`;
    cpSync(join(ROOT, EMPTY), join(ROOT, stateFolder), { recursive: true });
    const ports = { port: port + index, inspectorPort: port + INSPECTORS_FROM + index };
    return [await serve({ ...server, ...ports, stateFolder, workers })];
  });
  const servers = (await Promise.all(all)).flat();
  console.log('All servers answer.');
  return Promise.race(servers.map(({ ended }) => ended));
});
