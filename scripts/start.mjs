/**
 * `npm start`: the whole demo on this machine, as Cloudflare Pages would run it, with local KV and D1.
 * PORT chooses the port (8788); HTTPS=1 serves https with a local certificate, so that the cookie is the real one.
 *
 * package.json says "exec node … || node …": `exec` puts this script in the place of npm's shell, which keeps a signal
 * sent to npm alone to itself. Windows knows no `exec` and takes the second half.
 */
import { portFrom, requireFreePort } from './lib/port.mjs';
import { main } from './lib/processes.mjs';
import { servePages } from './lib/serve.mjs';
import { build, ensureDevVars, generateClient, migrate, STATE_FOLDER } from './lib/steps.mjs';

const DEFAULT_PORT = 8788;

await main(async () => {
  const port = portFrom(process.env.PORT, DEFAULT_PORT);
  await requireFreePort(port);
  console.log('Generating the Prisma client …');
  await generateClient();
  console.log('Building …');
  await build();
  console.log('Applying the D1 migrations …');
  await migrate(STATE_FOLDER);
  ensureDevVars();
  console.log('Starting …');
  const https = process.env.HTTPS === '1';
  const { address, ended } = await servePages({ port, stateFolder: STATE_FOLDER, https });
  console.log(`\n  Ready: ${address}   (Ctrl-C stops it)\n`);
  return await ended;
});
