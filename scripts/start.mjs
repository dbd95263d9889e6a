/**
 * `npm start`: the whole demo on this machine, as Cloudflare Pages would run it, with local KV and D1.
 *
 * package.json says "exec node … || node …": `exec` puts this script in the place of npm's shell, which keeps a signal
 * sent to npm alone to itself. Windows knows no `exec` and takes the second half.
 */
import { command } from './lib/command.mjs';
import { portFrom, requireFreePort } from './lib/port.mjs';
import { servePages } from './lib/serve.mjs';
import { build, ensureDevVars, generateClient, migrate, STATE_FOLDER } from './lib/steps.mjs';

const DEFAULT_PORT = 8788;

const usage = `Usage: npm start
Builds the demo and serves it with local KV and D1, whose state is in ${STATE_FOLDER}. Ctrl-C stops it.

  PORT=3000 npm start   on another port than ${DEFAULT_PORT}
  HTTPS=1 npm start     over https with a local certificate, and so with the cookies of production`;

await command({ usage }, async () => {
  const port = portFrom('PORT', DEFAULT_PORT);
  await requireFreePort(port, 'PORT');
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
