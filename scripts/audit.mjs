/**
 * `npm run audit`, after a build: asks the registry for known flaws in what ships in the worker. Everything here is a
 * devDependency, as the worker is one bundled file, so `npm audit --omit=dev` looks at nothing, and a plain `npm audit`
 * also names what only builds and tests. This one reads from the bundle what ships.
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

  --list   only says what ships, and fails if docs/security.md does not name it`;

const PAGE = 'docs/security.md';
/** Vite has put these into the build before wrangler bundles it (Kit's `noExternal`, and JSON). */
const BUNDLED_BY_VITE = ['@sveltejs/kit', '@zxcvbn-ts/language-common', 'svelte'];
const LEVELS = ['moderate', 'high', 'critical'];
/** Advisories (by URL) that do not touch this app. docs/security.md says of each why not. */
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
 * The packages of node_modules with a file in the bundle that `wrangler pages deploy` would upload, by its source map.
 * @returns {Promise<string[]>}
 */
async function shippedPackages() {
  return withWorkerBundle(async (folder) => {
    /** @type {{ sources: string[] }} */
    const { sources } = JSON.parse(await readFile(join(folder, '_worker.js.map'), 'utf8'));
    const modules = join(ROOT, 'node_modules') + sep;
    const names = sources
      .map((source) => resolve(folder, source))
      // A package's own source map may name what its makers bundled into it: that is in no folder here, and not ours to update.
      .filter((file) => file.startsWith(modules) && existsSync(file))
      .map((file) => relative(modules, file).split(sep))
      .map(([first = '', second = '']) => (first.startsWith('@') ? `${first}/${second}` : first))
      // Prisma generates the client's own code there.
      .filter((name) => !name.startsWith('.'));
    return [...new Set([...BUNDLED_BY_VITE, ...names])].sort();
  });
}

/**
 * What npm audit found in the whole tree. It exits with 1 when it found something: what it printed tells that from a registry that did
 * not answer.
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
