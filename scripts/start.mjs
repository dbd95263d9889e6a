/**
 * `npm start`: the whole demo on this machine with local KV and D1, as Cloudflare Pages would run it or, with --workers, as a Worker.
 *
 * package.json says "exec node … || node …". `exec` replaces npm's shell with this script; that shell would not pass on a signal sent only
 * to npm. Windows has no `exec` and runs the second half.
 */
import { command, requireBindings } from './lib/command.mjs';
import { portFrom, requireFreePort } from './lib/port.mjs';
import { serve } from './lib/serve.mjs';
import { build, ensureDevVars, generateClient, migrate, STATE_FOLDER } from './lib/steps.mjs';

const DEFAULT_PORT = 8788;

const usage = `Usage: npm start [-- --workers]
Builds the demo and serves it with local KV and D1, whose state is in ${STATE_FOLDER}. Ctrl-C stops it.

  --workers             as a Worker with static assets (wrangler.workers.toml), instead of as Pages
  PORT=3000 npm start   on another port than ${DEFAULT_PORT}
  HTTPS=1 npm start     over https with a local certificate, and so with the cookies of production`;

await command({ usage, options: { workers: { type: 'boolean' } } }, async (given) => {
  const workers = given.workers === true;
  if (workers) await requireBindings('wrangler.workers.toml');
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
  const { address, ended } = await serve({ port, stateFolder: STATE_FOLDER, https, workers });
  console.log(`\n  Ready: ${address}   (Ctrl-C stops it)\n`);
  return await ended;
});
