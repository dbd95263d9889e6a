/**
 * `npm run test:deep`: 100,000 random histories of the auth module (tests/simulation/histories.node.test.ts) in under
 * ten minutes, one process per core. HISTORIES changes how many; SEED plays the same ones again. The last line says
 * whether it was met.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from './lib/environment.mjs';
import { exitOf, main, ROOT, start } from './lib/processes.mjs';

const HISTORIES = Number(process.env.HISTORIES ?? 100_000);
const LIMIT_MINUTES = 10;
const MOST_PROCESSES = 8;
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');
const TEST = 'tests/simulation/histories.node.test.ts';

await main(async () => {
  const processes = Math.min(availableParallelism(), MOST_PROCESSES);
  const firstSeed = Number(process.env.SEED ?? randomInt(2 ** 30));
  const share = Math.ceil(HISTORIES / processes);
  console.log(
    `${share * processes} histories in ${processes} processes, seeds ${firstSeed} to ${firstSeed + processes - 1} …`,
  );
  const startedAt = Date.now();
  const codes = await Promise.all(
    Array.from({ length: processes }, (_, i) => play({ histories: share, seed: firstSeed + i })),
  );
  const seconds = Math.round((Date.now() - startedAt) / 1_000);
  const broken = codes.filter((code) => code !== 0).length;
  const met = broken === 0 && seconds < LIMIT_MINUTES * 60;
  const inTime = `${(share * processes).toLocaleString('en')} histories in ${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const outcome =
    broken === 0
      ? `${inTime}, 0 broken promises`
      : `${broken} of ${processes} processes found a broken promise: it is above, with its seed`;
  console.log(`test:deep: ${outcome}: ${met ? 'met' : 'missed'}`);
  return met ? 0 : 1;
});

/** @param {{ histories: number, seed: number }} part */
function play({ histories, seed }) {
  const env = { ...toolEnvironment(), HISTORIES: String(histories), SEED: String(seed) };
  const args = ['run', '--project', 'node', '--reporter', 'default', TEST];
  return exitOf(start(process.execPath, [VITEST, ...args], { env, stdio: ['ignore', 'inherit', 'inherit'] }));
}
