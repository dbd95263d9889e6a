/**
 * `npm run audit`, after a build: asks the registry for known flaws in what ships in the worker. The worker is one bundled file, so every
 * package is a devDependency. Therefore `npm audit --omit=dev` looks at nothing, and a plain `npm audit` also lists build and test
 * packages. This script reads from the bundle what ships.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { text } from 'node:stream/consumers';
import { command } from './lib/command.mjs';
import { ROOT, start, StepFailed } from './lib/processes.mjs';
import { withWorkerBundle } from './lib/worker-bundle.mjs';

const usage = `Usage: npm run audit [-- --list]
Fails for a known flaw of level moderate or above in what ships in the worker, unless docs/security.md explains it. Needs a build.

  --list   only lists what ships, and fails if docs/security.md does not name it`;

const PAGE = 'docs/security.md';
/** Vite puts these into the build before wrangler bundles it (Kit's `noExternal`, and JSON). */
const BUNDLED_BY_VITE = ['@sveltejs/kit', '@zxcvbn-ts/language-common', 'svelte'];
const LEVELS = ['moderate', 'high', 'critical'];
/** Advisories (by URL) that do not affect this app. docs/security.md explains each one. */
const EXPLAINED = /** @type {string[]} */ ([]);

/** @typedef {{ name: string, severity: string, via: (string | { url: string, title: string })[] }} Finding of npm audit, by package */

await command({ usage, options: { list: { type: 'boolean' } } }, async ({ list }) => {
  const shipped = await shippedPackages();
  console.log(`${shipped.length} packages ship in the worker: ${shipped.join(', ')}.`);
  const page = await readFile(join(ROOT, PAGE), 'utf8');
  const unnamed = shipped.filter((name) => !page.includes(`\`${name}\``));
  if (unnamed.length > 0) throw new StepFailed(`${PAGE} does not name ${unnamed.join(', ')}.`);
  if (list) return;

  const open = (await findings())
    .filter(({ name, severity }) => shipped.includes(name) && LEVELS.includes(severity))
    .flatMap(({ name, severity, via }) =>
      via
        .filter((cause) => typeof cause !== 'string')
        .filter(({ url }) => !EXPLAINED.includes(url))
        .map(({ title, url }) => `${name}, ${severity}: ${title} (${url})`),
    );
  if (open.length > 0) throw new StepFailed(`npm audit found in what ships:\n${open.join('\n')}`);
  console.log('npm audit knows of no flaw of level moderate or above in them that is not explained.');
});

/**
 * The packages of node_modules that have a file in the bundle `wrangler pages deploy` would upload, according to its source map.
 *
 * @returns {Promise<string[]>}
 */
async function shippedPackages() {
  return withWorkerBundle(async (folder) => {
    /** @type {{ sources: string[] }} */
    const { sources } = JSON.parse(await readFile(join(folder, '_worker.js.map'), 'utf8'));
    const modules = join(ROOT, 'node_modules') + sep;
    const names = sources
      .map((source) => resolve(folder, source))
      // A package's own source map may name files that its maintainers bundled into it. Those are in no folder here, and we cannot update
      // them.
      .filter((file) => file.startsWith(modules) && existsSync(file))
      .map((file) => relative(modules, file).split(sep))
      .map(([first = '', second = '']) => (first.startsWith('@') ? `${first}/${second}` : first))
      // Prisma generates the client's own code there.
      .filter((name) => !name.startsWith('.'));
    return [...new Set([...BUNDLED_BY_VITE, ...names])].sort();
  });
}

/**
 * Returns what npm audit found in the whole tree. npm exits with 1 if it found something, and also if the registry did not respond. Its
 * output tells which.
 *
 * @returns {Promise<Finding[]>}
 */
async function findings() {
  const npm = start('npm', ['audit', '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: process.platform === 'win32',
  });
  const output = npm.stdout ? await text(npm.stdout) : '';
  /** @type {{ vulnerabilities?: Record<string, Finding>, message?: string }} */
  const { vulnerabilities, message } = JSON.parse(output);
  if (!vulnerabilities) throw new StepFailed(`npm audit was not answered: ${message ?? output}`);
  return Object.values(vulnerabilities);
}
