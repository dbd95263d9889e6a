import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { broken, ok } from './finding.mjs';

/** @typedef {import('./finding.mjs').Finding} Finding */
/** @typedef {import('./finding.mjs').Place} Place */

const NAMED_AT_MOST = 3;

/**
 * The Node that npm runs on. The scripts run on another, which npm installed: `checkScriptNode`.
 * @param {Place} place
 * @returns {Finding}
 */
export function checkNode({ root, env }) {
  const running = /\bnode\/v(\S+)/.exec(env.npm_config_user_agent ?? '')?.[1] ?? process.versions.node;
  const wanted = parseInt(/\d+/.exec(readJson(root, 'package.json')?.engines?.node ?? '')?.[0] ?? '', 10);
  return parseInt(running, 10) >= wanted
    ? ok(`Node ${running} runs npm`)
    : broken(
        `Node ${running} is too old to install this project`,
        `install Node ${wanted} or newer: nodejs.org`,
      );
}

/**
 * Whether node_modules is what package-lock.json says.
 * @param {Place} place
 * @returns {Finding[]}
 */
export function checkModules({ root }) {
  const manifest = readJson(root, 'package.json');
  const lock = readJson(root, 'package-lock.json');
  if (!manifest || !lock?.packages) {
    return [
      broken(
        'package.json or package-lock.json cannot be read',
        'git checkout package.json package-lock.json',
      ),
    ];
  }
  const own = lock.packages[''];
  if (!['dependencies', 'devDependencies'].every((kind) => isDeepStrictEqual(manifest[kind], own?.[kind]))) {
    return [broken('package.json asks for other packages than package-lock.json has', 'npm install')];
  }
  if (!existsSync(join(root, 'node_modules'))) return [broken('The packages are not installed', 'npm ci')];
  const wrong = Object.entries(lock.packages)
    .filter(([path]) => path !== '')
    .map(([path, { version, optional, devOptional }]) => {
      const there = readJson(root, join(path, 'package.json'))?.version;
      // What belongs to another system is in the lock file, and not here.
      return there === version || (there === undefined && (optional || devOptional))
        ? null
        : `${path.replace(/^.*node_modules\//, '')} ${there ? `is ${there} instead of ${version}` : 'is missing'}`;
    })
    .filter((difference) => difference !== null);
  if (wrong.length === 0) return [ok('The installed packages are those of package-lock.json')];
  const more = wrong.length > NAMED_AT_MOST ? `, and ${wrong.length - NAMED_AT_MOST} more` : '';
  const named = wrong.slice(0, NAMED_AT_MOST).join(', ');
  return [broken(`The installed packages are not those of package-lock.json: ${named}${more}`, 'npm ci')];
}

/**
 * The Node that the scripts run on is a package, whose install script npm may have been told not to run.
 * @param {Place} place
 * @returns {Finding[]}
 */
export function checkScriptNode({ root }) {
  const { version } = readJson(root, 'node_modules/node/package.json') ?? {};
  const file = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' });
  if (status === 0 && stdout.trim() === `v${version}`) return [ok(`Node ${version} runs the scripts`)];
  return [
    broken(
      `The Node that runs the scripts (the package "node", ${version}) is not in place: npm did not run its install script`,
      'npm rebuild node --ignore-scripts=false',
    ),
  ];
}

/**
 * @param {string} root
 * @param {string} path
 */
function readJson(root, path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return undefined;
  }
}
