/**
 * `npm test`: everything that has to pass, in the shortest time. First come the generated files. Then lint, types with the build, and
 * getting a browser (mostly waiting) run in parallel. The unit tests and the browser tests follow one after the other, because each of them
 * keeps every core of a small machine busy.
 */
import { requireChromium, wantFullChromium } from './lib/chromium.mjs';
import { command } from './lib/command.mjs';
import { portFrom, requireFreePort } from './lib/port.mjs';
import { exitOf, start, StepFailed } from './lib/processes.mjs';
import { build, E2E_PORT, E2E_SERVERS } from './lib/steps.mjs';

const usage = `Usage: npm test
Formatting and lint, types, unit tests, and end-to-end tests in Chromium, which is downloaded if there is none.

  E2E_PORT=9000 npm test             on other ports than ${E2E_PORT} to ${E2E_PORT + E2E_SERVERS.length - 1}
  CHROMIUM_PATH=/path/to/chrome npm test   in a browser of your choice

Parts of it: npm run lint, npm run check, npm run test:unit, npm run test:e2e. What it leaves out: npm run test:deep.`;

const startedAt = Date.now();

await command({ usage }, async () => {
  const port = portFrom('E2E_PORT', E2E_PORT);
  for (let one = 0; one < E2E_SERVERS.length; one += 1) await requireFreePort(port + one, 'E2E_PORT');
  await run('generate', 'inherit');
  await all([
    requireChromium().then(wantFullChromium),
    run('lint', 'pipe'),
    run('check', 'pipe').then(build),
  ]);
  await run('test:unit', 'inherit');
  await run('test:e2e', 'inherit', { SKIP_BUILD: '1' });
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  console.log(`\nnpm test: all passed in ${Math.floor(seconds / 60)} min ${seconds % 60} s.`);
});

/**
 * Waits for all steps, even if one fails, so that every failure is reported. Then throws `StepFailed`.
 *
 * @param {Promise<unknown>[]} steps
 */
async function all(steps) {
  const failed = (await Promise.allSettled(steps)).filter(({ status }) => status === 'rejected');
  if (failed.length > 0)
    throw new StepFailed(failed.map(({ reason }) => reason?.message ?? reason).join('\n'));
}

/**
 * Runs an npm script without its `pre` script, whose output already exists. Throws `StepFailed` if it fails.
 *
 * @param {string} script
 * @param {'inherit' | 'pipe'} output `pipe` prints everything at the end, so that two parallel scripts do not mix their output
 * @param {NodeJS.ProcessEnv} [variables]
 */
async function run(script, output, variables = {}) {
  const announce = () => console.log(`\n> npm run ${script}\n`);
  if (output === 'inherit') announce();
  const child = start('npm', ['run', '--silent', '--ignore-scripts', script], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', output, output],
    shell: process.platform === 'win32',
  });
  /** @type {Buffer[]} */
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => printed.push(chunk));
  const code = await exitOf(child);
  if (output === 'pipe') announce();
  process.stdout.write(Buffer.concat(printed));
  if (code !== 0) throw new StepFailed(`"npm run ${script}" ended with code ${code}.`);
}
