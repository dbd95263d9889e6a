/**
 * `npm run test:faults [-- "<part of a name>" …]`: shows that the tests notice faults. It runs the tests named in scripts/faults/faults.mjs
 * on a copy of the tree and expects them to pass. Then it applies each fault to the copy, one at a time, and expects its test to fail. With
 * words, it runs only the faults whose names contain one of them. It never touches the working tree.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FAULTS } from './faults/faults.mjs';
import { command } from './lib/command.mjs';
import { outputOf, ROOT, StepFailed } from './lib/processes.mjs';

const usage = `Usage: npm run test:faults [-- "<part of a name>" …]
Breaks a copy of the code on purpose, one fault at a time, and expects the tests to notice. Runs all faults, or those whose names contain
one of the words.`;

const COPIED = ['src', 'tests', 'prisma', '.svelte-kit', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const COPIED_TOO = [
  'wrangler.toml',
  'wrangler.workers.toml',
  'svelte.config.js',
  'vite.config.ts',
  'scripts',
  '.gitignore',
];
/** The same histories for every fault. */
const ENVIRONMENT = { HISTORIES: '2000', SEED: '1', CHECK_COSTS: 'off', NO_COLOR: '1' };
const SHOWN_CHARACTERS = 4_000;

const folder = mkdtempSync(join(tmpdir(), 'faults-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

await command({ usage, operands: true }, async (_, words) => {
  const faults = FAULTS.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  if (faults.length === 0)
    throw new StepFailed(`No fault's name has ${words.join(' or ')}: see scripts/faults/faults.mjs.`);
  for (const name of [...COPIED, ...COPIED_TOO])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'dir');
  for (const fault of faults) faultyFiles(fault);

  const tests = [...new Set(faults.map(({ test }) => test))];
  console.log(`without a fault: ${tests.join(', ')} …`);
  const green = await run(tests);
  if (green.code !== 0)
    throw new StepFailed(`${green.output}\nThe tests fail without a fault: mend that first.`);

  let missed = 0;
  for (const fault of faults) {
    const files = faultyFiles(fault);
    for (const { path, faulty } of files) writeFileSync(path, faulty);
    const { code, output } = await run([fault.test, '-t', fault.title]);
    for (const { path, sound } of files) writeFileSync(path, sound);
    // A file that does not load, or has no such test, fails as well, but that does not count.
    const isRed = code !== 0 && /Tests +[1-9]\d* failed/.test(output);
    if (!isRed) missed += 1;
    console.log(`${isRed ? 'red' : 'GREEN'}  ${fault.name}\n     ${fault.test} > ${fault.title}`);
    console.log(`     ${reasonIn(output)}`);
    if (!isRed) console.log(output.slice(-SHOWN_CHARACTERS));
  }
  console.log(
    `test:faults: ${faults.length - missed} of ${faults.length} faults found: ${missed ? 'missed' : 'met'}`,
  );
  return missed === 0 ? 0 : 1;
});

/**
 * The files of a fault, with and without it. Throws `StepFailed` if an edit does not match exactly once.
 *
 * @param {import('./faults/faults.mjs').Fault} fault
 */
function faultyFiles({ name, edits }) {
  /** @type {Map<string, { path: string, sound: string, faulty: string }>} */
  const files = new Map();
  for (const { file, find, replace } of edits) {
    const path = join(folder, file);
    const { sound, faulty } = files.get(path) ?? readTwice(path);
    const times = sound.split(find).length - 1;
    if (times !== 1) {
      throw new StepFailed(
        `[faults] "${name}" fits ${times} times in ${file}: correct scripts/faults/faults.mjs, which looks for\n${find}`,
      );
    }
    files.set(path, { path, sound, faulty: faulty.replace(find, () => replace) });
  }
  return [...files.values()];
}

/** @param {string} path */
function readTwice(path) {
  const sound = readFileSync(path, 'utf8');
  return { sound, faulty: sound };
}

/** Runs Vitest on the copy. @param {string[]} args */
async function run(args) {
  const { code, out, error } = await outputOf('vitest', ['run', ...args], { env: ENVIRONMENT, cwd: folder });
  return { code, output: out + error };
}

/** The message of the failing test, which shows that it failed because of the fault. @param {string} output */
function reasonIn(output) {
  return (/Caused by: (.*)/.exec(output) ?? /^\w*Error: (.*)/m.exec(output))?.[1] ?? '';
}
