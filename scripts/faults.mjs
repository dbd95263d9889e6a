/**
 * `npm run test:faults`: shows that the tests bite. Runs the tests of scripts/faults/faults.mjs on a copy of the tree and
 * expects green; then applies each fault to the copy, one at a time, and expects its test to fail.
 * The working tree is never touched.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULTS } from './faults/faults.mjs';
import { toolEnvironment } from './lib/environment.mjs';
import { exitOf, main, ROOT, start, StepFailed } from './lib/processes.mjs';

const COPIED = ['src', 'tests', 'prisma', '.svelte-kit', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const COPIED_TOO = ['wrangler.toml', 'svelte.config.js', 'vite.config.ts', 'scripts', '.gitignore'];
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');
/** The same histories for every fault. */
const ENVIRONMENT = { HISTORIES: '2000', SEED: '1', CHECK_COSTS: 'off' };
const SHOWN_CHARACTERS = 4_000;

const folder = mkdtempSync(join(tmpdir(), 'faults-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

await main(async () => {
  for (const name of [...COPIED, ...COPIED_TOO])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  for (const fault of FAULTS) faultyFiles(fault);

  const tests = [...new Set(FAULTS.map(({ test }) => test))];
  console.log(`without a fault: ${tests.join(', ')} …`);
  const green = await run(tests);
  if (green.code !== 0)
    throw new StepFailed(`${green.output}\nThe tests fail without a fault: mend that first.`);

  let missed = 0;
  for (const fault of FAULTS) {
    const files = faultyFiles(fault);
    for (const { path, faulty } of files) writeFileSync(path, faulty);
    const { code, output } = await run([fault.test, '-t', fault.title]);
    for (const { path, sound } of files) writeFileSync(path, sound);
    // A file that does not load, or has no such test, fails as well; that is not what is meant.
    const isRed = code !== 0 && /Tests +[1-9]\d* failed/.test(output);
    if (!isRed) missed += 1;
    console.log(`${isRed ? 'red' : 'GREEN'}  ${fault.name}\n     ${fault.test} > ${fault.title}`);
    console.log(`     ${reasonIn(output)}`);
    if (!isRed) console.log(output.slice(-SHOWN_CHARACTERS));
  }
  console.log(
    `test:faults: ${FAULTS.length - missed} of ${FAULTS.length} faults found: ${missed ? 'missed' : 'met'}`,
  );
  return missed === 0 ? 0 : 1;
});

/**
 * The files of a fault with it and without. Throws `StepFailed` when an edit no longer fits exactly once.
 * @param {import('./faults/faults.mjs').Fault} fault
 */
function faultyFiles({ name, edits }) {
  return edits.map(({ file, find, replace }) => {
    const path = join(folder, file);
    const sound = readFileSync(path, 'utf8');
    const times = sound.split(find).length - 1;
    if (times !== 1) {
      throw new StepFailed(
        `[faults] "${name}" fits ${times} times in ${file}: correct scripts/faults/faults.mjs, which looks for\n${find}`,
      );
    }
    return { path, sound, faulty: sound.replace(find, () => replace) };
  });
}

/** @param {string[]} args */
async function run(args) {
  const env = { ...toolEnvironment(), ...ENVIRONMENT, NO_COLOR: '1' };
  const child = start(process.execPath, [VITEST, 'run', ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += chunk));
  return { code: await exitOf(child), output };
}

/** What the failing test said, to see that it failed for the fault. @param {string} output */
function reasonIn(output) {
  return (/Caused by: (.*)/.exec(output) ?? /^\w*Error: (.*)/m.exec(output))?.[1] ?? '';
}
