/**
 * `npm test`: everything that has to pass, in the least time. What is generated comes first; then what uses one core each, side
 * by side (lint; types and the build; getting a browser, which mostly waits); then the tests, which use every core.
 */
import { requireChromium } from './lib/chromium.mjs';
import { exitOf, main, start, StepFailed } from './lib/processes.mjs';
import { build } from './lib/steps.mjs';

const startedAt = Date.now();

await main(async () => {
  await run('generate', 'inherit');
  const outcomes = await Promise.allSettled([
    requireChromium(),
    run('lint', 'pipe'),
    run('check', 'pipe').then(build),
  ]);
  const failed = outcomes.filter(({ status }) => status === 'rejected');
  if (failed.length > 0)
    throw new StepFailed(failed.map(({ reason }) => reason?.message ?? reason).join('\n'));
  await run('test:unit', 'inherit');
  await run('test:e2e', 'inherit', { SKIP_BUILD: '1' });
  console.log(`\nnpm test: all passed in ${inMinutes(Date.now() - startedAt)}.`);
});

/**
 * Runs an npm script without its `pre` script: what that would generate is there. Throws `StepFailed` when it fails.
 * @param {string} script
 * @param {'inherit' | 'pipe'} output `pipe` prints it in one piece at the end, so that two at once can be told apart
 * @param {NodeJS.ProcessEnv} [variables]
 */
async function run(script, output, variables = {}) {
  if (output === 'inherit') announce(script);
  const args = ['run', '--silent', '--ignore-scripts', script];
  const child = start('npm', args, {
    env: { ...process.env, ...variables },
    stdio: ['ignore', output, output],
    shell: process.platform === 'win32',
  });
  /** @type {Buffer[]} */
  const printed = [];
  child.stdout?.on('data', (chunk) => printed.push(chunk));
  child.stderr?.on('data', (chunk) => printed.push(chunk));
  const code = await exitOf(child);
  if (output === 'pipe') announce(script);
  process.stdout.write(Buffer.concat(printed));
  if (code !== 0) throw new StepFailed(`"npm run ${script}" ended with code ${code}.`);
}

/** @param {string} script */
function announce(script) {
  console.log(`\n> npm run ${script}\n`);
}

/** @param {number} milliseconds */
function inMinutes(milliseconds) {
  const seconds = Math.round(milliseconds / 1_000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
