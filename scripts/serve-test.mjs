/**
 * Serves the built app for the end-to-end tests: `node scripts/serve-test.mjs <port>`, on that port and the next ones. Playwright's
 * `webServer` waits for its last message and stops it. WORKERS=1 serves it as a Worker instead of as Pages. Every run starts with empty KV
 * and D1, in a separate folder per server.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fullChromium } from './lib/chromium.mjs';
import { main, ROOT } from './lib/processes.mjs';
import { serve } from './lib/serve.mjs';
import { E2E_SERVERS, ensureDevVars, migrate } from './lib/steps.mjs';

const STATE_FOLDERS = '.wrangler/e2e';
/** How far the inspector ports are above the servers' ports. */
const INSPECTORS_FROM = 1_000;
const EMPTY = `${STATE_FOLDERS}/empty`;

await main(async () => {
  const port = Number(process.argv[2]);
  const workers = process.env.WORKERS === '1';
  rmSync(join(ROOT, STATE_FOLDERS), { recursive: true, force: true });
  ensureDevVars();
  await migrate(EMPTY);
  const all = E2E_SERVERS.map(async ({ name, ...server }, index) => {
    // Without a full Chromium, device keys cannot be tested.
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
