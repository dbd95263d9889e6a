/** What `npm start` makes when it is not there; so nothing here but a broken database is an error. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StepFailed } from '../lib/processes.mjs';
import { STATE_FOLDER } from '../lib/steps.mjs';
import { wrangler } from '../lib/stores.mjs';
import { broken, note, ok } from './finding.mjs';

/** @typedef {import('./finding.mjs').Finding} Finding */
/** @typedef {import('./finding.mjs').Place} Place */

const SECRET_MIN_CHARACTERS = 32;
const BUILT = '.svelte-kit/cloudflare/_worker.js';
const BUILT_FROM = [
  'src',
  'static',
  'prisma/schema.prisma',
  'package-lock.json',
  'svelte.config.js',
  'vite.config.ts',
  'wrangler.toml',
];

/**
 * @param {Place} place
 * @returns {Finding[]}
 */
export function checkSecrets({ root }) {
  const file = join(root, '.dev.vars');
  if (!existsSync(file)) return [note('There is no .dev.vars, the local secrets: npm start makes it')];
  const secret =
    /^DEVICE_COOKIE_SECRET\s*=\s*["']?(.*?)["']?\s*$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  const mend = 'delete .dev.vars, and npm start makes a good one (.dev.vars.example says what it is for)';
  if (secret === '')
    return [note(".dev.vars has no DEVICE_COOKIE_SECRET: no browser is known as the account's own", mend)];
  if (secret.length < SECRET_MIN_CHARACTERS || secret.includes(' ')) {
    return [note('DEVICE_COOKIE_SECRET in .dev.vars is not 32 random bytes', mend)];
  }
  return [ok('.dev.vars has its secret')];
}

/**
 * @param {Place} place
 * @returns {Promise<Finding[]>}
 */
export async function checkDatabase({ root }) {
  const state = join(root, STATE_FOLDER);
  if (!existsSync(state)) return [note('There is no local database yet: npm start makes it')];
  const local = { remote: false, preview: false, stateFolder: state };
  let listed;
  try {
    listed = await wrangler(local, ['d1', 'migrations', 'list', 'DB']);
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    return [
      broken(
        `The local database cannot be read: ${error.message}`,
        `delete ${STATE_FOLDER}, and the local accounts with it: npm start makes it anew`,
      ),
    ];
  }
  const pending = readdirSync(join(root, 'prisma/migrations')).filter((name) => listed.includes(name));
  return [
    pending.length === 0
      ? ok('The local database has every migration')
      : note(
          `The local database is without ${pending.join(', ')}`,
          'npm run db:migrate (npm start does it, too)',
        ),
  ];
}

/**
 * @param {Place} place
 * @returns {Finding[]}
 */
export function checkClient({ root }) {
  const of = join(root, 'node_modules/.prisma/client/schema.prisma');
  const mend = 'npm run generate (npm start, npm run check and npm test do it, too)';
  if (!existsSync(of)) return [note('The Prisma client is not generated', mend)];
  const [wanted, there] = [join(root, 'prisma/schema.prisma'), of].map((file) =>
    readFileSync(file, 'utf8').trim(),
  );
  return [
    wanted === there
      ? ok('The Prisma client is that of prisma/schema.prisma')
      : note('The Prisma client is of another prisma/schema.prisma', mend),
  ];
}

/**
 * @param {Place} place
 * @returns {Finding[]}
 */
export function checkBuild({ root }) {
  const built = join(root, BUILT);
  const mend = 'npm run build (npm start does it, too)';
  if (!existsSync(built)) return [note('The app is not built', mend)];
  const at = statSync(built).mtimeMs;
  const newer = BUILT_FROM.flatMap((path) => filesIn(join(root, path))).find(
    (file) => statSync(file).mtimeMs > at,
  );
  return [
    newer
      ? note(`The build is older than ${newer.slice(root.length).replace(/^[\\/]/, '')}`, mend)
      : ok('The build is newer than its sources'),
  ];
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function filesIn(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesIn(join(path, name)));
}
