/**
 * `npm run test:deep`: what `npm test` leaves out because it takes too long (docs/decisions/0012). First 12,000 random histories of the
 * auth module (tests/simulation/histories.node.test.ts) in under ten minutes, with one process per core. Then, once, the tests that have a
 * longer form and those named `*.deep.*`. Then the main tasks on the other build, a Worker. Then `npm run test:faults`. The last line says
 * whether everything was met.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { requireChromium } from './lib/chromium.mjs';
import { command } from './lib/command.mjs';
import { exitOf, ROOT, start, startTool } from './lib/processes.mjs';
import { build } from './lib/steps.mjs';

const usage = `Usage: npm run test:deep
Plays 12,000 random histories, and runs whatever else npm test leaves out.

  HISTORIES=1000 SEED=5 npm run test:deep   another number of histories; the same ones again`;

const LIMIT_MINUTES = 10;
const MOST_PROCESSES = 8;
/** The main tasks with and without JavaScript, the headers of every response, and the most important promise, on both layouts. */
const ON_A_WORKER = ['sessions\\.spec', 'walk\\.no-js', 'headers\\.spec', 'put-back\\.spec'];

await command({ usage }, async () => {
  const processes = Math.min(availableParallelism(), MOST_PROCESSES);
  const firstSeed = Number(process.env.SEED ?? randomInt(2 ** 30));
  const share = Math.ceil(Number(process.env.HISTORIES ?? 12_000) / processes);
  const all = (share * processes).toLocaleString('en');
  console.log(`${all} histories, seeds ${firstSeed} to ${firstSeed + processes - 1} …`);
  const startedAt = Date.now();
  const codes = await Promise.all(
    Array.from({ length: processes }, (_, i) =>
      vitest(['tests/simulation/histories.node.test.ts'], {
        HISTORIES: `${share}`,
        SEED: `${firstSeed + i}`,
      }),
    ),
  );
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  const broken = codes.filter((code) => code !== 0).length;
  const played =
    broken === 0
      ? `${all} histories in ${Math.floor(seconds / 60)} min ${seconds % 60} s, 0 broken promises`
      : `${broken} of ${processes} processes found a broken promise: it is above, with its seed`;

  console.log('The tests that are longer here, and those that run here alone …');
  await build();
  const unit = await vitest(
    ['histories.test.ts', 'interleaved-', 'branches.node.test.ts', '.deep.node.test.ts'],
    { DEEP: '1' },
  );
  const longer = await playwright(['--project=owner', '--project=deploy', 'fuzz\\.spec', '\\.deep\\.'], {
    DEEP: '1',
  });
  console.log('What people do, the headers and put-back records once more, on the build as a Worker …');
  const asWorker = await playwright(ON_A_WORKER, { WORKERS: '1' });
  const faults = await exitOf(
    start(process.execPath, [join(ROOT, 'scripts/faults.mjs')], { stdio: 'inherit' }),
  );
  const rest = [unit, longer, asWorker, faults].every((code) => code === 0) ? 'passed' : 'failed';
  const met = broken === 0 && rest === 'passed' && seconds < LIMIT_MINUTES * 60;
  console.log(`test:deep: ${played}; the longer tests and the faults ${rest}: ${met ? 'met' : 'missed'}`);
  return met ? 0 : 1;
});

/**
 * @param {string[]} files parts of their names
 * @param {NodeJS.ProcessEnv} env
 */
function vitest(files, env) {
  return exitOf(startTool('vitest', ['run', '--reporter', 'default', ...files], { env }));
}

/**
 * Runs on its own servers, in Chromium where a test needs a browser.
 *
 * @param {string[]} words
 * @param {NodeJS.ProcessEnv} env
 */
async function playwright(words, env) {
  const chromium = await requireChromium();
  const browser = chromium ? { CHROMIUM_PATH: chromium } : {};
  return exitOf(startTool('playwright', ['test', ...words], { env: { ...browser, ...env } }));
}
