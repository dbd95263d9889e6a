/**
 * A deployment: checks, plans, creates what is missing, deploys, and asks the live site's /healthz. A second run changes nothing but the
 * deployment. After a failure, the next run continues where it stopped.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, StepFailed } from '../lib/processes.mjs';
import { build, generateClient } from '../lib/steps.mjs';
import { problemsInConfig, problemsInSource, problemsInTree } from './checks.mjs';
import { CONFIGS, environmentOf, parseConfig, storesOf, withId } from './config.mjs';
import { requireHealthy } from './live.mjs';
import { PAGES } from './pages.mjs';
import { allAtOnce, databasesOf, nameOf, planFor, planInWords } from './plan.mjs';
import { WORKERS } from './workers.mjs';
import { applyMigrations, createStore, findAccount } from './wrangler.mjs';

/**
 * @typedef {import('./plan.mjs').Target} Target
 * @typedef {import('./plan.mjs').Host} Host
 * @typedef {object} Options
 * @property {boolean} preview
 * @property {boolean} workers
 * @property {string | null} location
 * @property {string | null} branch
 * @property {boolean} deleteOld
 * @property {boolean} dryRun
 * @property {boolean} allowDirty
 * @property {boolean} skipBuild
 */

const SECRET_BYTES = 32;

/** developers.cloudflare.com/workers/platform/limits, "CPU time". The 65 ms are from docs/decisions/0001. */
const FREE_PLAN = `On Cloudflare's free plan a request may take 10 ms of CPU, and a sign-in takes about 65 ms for its hash. An isolate may run over
that limit now and then, and is stopped when it does so consistently: enough to try it out, not for anything people rely on.`;

/** @param {Options} options */
export async function deploy(options) {
  const host = options.workers ? WORKERS : PAGES;
  console.log(`Checking ${host.config}, the sources and the git tree …`);
  requireNoProblems(host, options);

  console.log('Looking at the Cloudflare account …');
  const account = await findAccount();
  process.env.CLOUDFLARE_ACCOUNT_ID = account;
  const target = readTarget(host, options);
  const plan = await planFor(host, target);
  console.log(`\nThe plan for account ${account}:\n${planInWords(host, target, plan)}\n`);
  if (!plan.found.exists) console.log(`${FREE_PLAN}\n`);
  if (options.dryRun) return console.log('Nothing was changed.');

  if (!options.skipBuild) await buildApp();
  await makeWhatIsMissing(host, target, plan);
  for (const { binding } of databasesOf(target)) {
    console.log(`Applying the migrations that ${binding} lacks …`);
    const applied = await applyMigrations(binding, target.where);
    console.log(`  ${applied.length === 0 ? 'none: it is up to date' : applied.join(', ')}`);
  }
  const secrets = plan.secrets.map((name) => [name, randomBytes(SECRET_BYTES).toString('base64url')]);
  const { url, site } = await host.upload(target, plan.found, Object.fromEntries(secrets));
  console.log('Asking /healthz …');
  await requireHealthy(url, host.watch);
  console.log(`\n  Live: ${site}${url === site ? '' : `\n  This deployment by itself: ${url}`}`);
  if (git('rev-parse', 'HEAD') !== null && git('diff', '--quiet', 'HEAD', '--', ...CONFIGS) === null) {
    console.log(`\n  ${CONFIGS.join(' and ')} hold the ids of your stores now: commit them.`);
  }
  await host.finish(target, plan.found);
}

/**
 * Throws a list of everything that is certain to fail, before anything is asked or created.
 *
 * @param {Host} host
 * @param {Options} options
 */
function requireNoProblems({ config: name }, { workers, allowDirty, skipBuild }) {
  const problems = [
    ...problemsInConfig(parseConfig(read(name)), { workers }),
    ...problemsInSource(sources()),
    ...(allowDirty ? [] : uncommitted()),
  ];
  if (skipBuild && !existsSync(join(ROOT, '.svelte-kit/cloudflare/_worker.js'))) {
    problems.push('--skip-build: there is no build yet. Leave it out.');
  }
  if (problems.length === 0) return;
  const listed = problems.map((problem) => `  - ${problem}`).join('\n');
  throw new StepFailed(`Nothing was changed, because this would not work:\n${listed}`);
}

function sources() {
  const folder = join(ROOT, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:[cm]?[jt]s|svelte)$/.test(path))
    .map((path) => ({ path: `src/${path}`, text: readFileSync(join(folder, path), 'utf8') }));
}

function uncommitted() {
  const status = git('status', '--porcelain');
  // Without git there is nothing to compare with.
  if (status === null) return [];
  const configs = CONFIGS.map((name) => [
    name,
    { committed: git('show', `HEAD:./${name}`) ?? '', current: read(name) },
  ]);
  return problemsInTree(status, Object.fromEntries(configs));
}

/**
 * @param {Host} host
 * @param {Options} options
 * @returns {Target}
 */
function readTarget({ config: name }, { preview, branch, deleteOld, location }) {
  const config = parseConfig(read(name));
  // The top level is named, too. Otherwise CLOUDFLARE_ENV would choose the environment, and with it another database.
  const where = ['--config', join(ROOT, name), '--env', environmentOf(config, preview).name ?? ''];
  return {
    project: String(config.name),
    environmentName: preview ? 'preview' : 'production',
    where,
    branch,
    deleteOld,
    location,
    stores: storesOf(config, preview),
  };
}

/** Runs before anything is created, so that a failed build leaves nothing behind. */
async function buildApp() {
  console.log('Building …');
  try {
    await generateClient();
    await build();
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    throw new StepFailed(
      `${error.message}\n  What to do: mend what the build says above. Nothing was made yet.`,
    );
  }
}

/**
 * Creates the missing stores and the project. Each id is written down as soon as it is known, so that a later failure does not lose the
 * store.
 *
 * @param {Host} host
 * @param {Target} target
 * @param {import('./plan.mjs').Plan} plan
 */
async function makeWhatIsMissing(host, target, { found, adopt, create }) {
  const preview = target.environmentName === 'preview';
  /** @param {import('./config.mjs').Store} store @param {string} id */
  const writeDown = (store, id) => {
    for (const name of CONFIGS) writeFileSync(join(ROOT, name), withId(read(name), preview, store, id));
  };
  for (const { store, id } of adopt) writeDown(store, id);
  const stores = create.map(async (store) => {
    console.log(`Making the ${nameOf(store)} …`);
    writeDown(store, await createStore(store, target.location));
  });
  await allAtOnce(found.exists ? stores : [...stores, host.make(target, found)]);
}

/** @param {string} name of a file of the project */
function read(name) {
  return readFileSync(join(ROOT, name), 'utf8');
}

/**
 * @param {string[]} args
 * @returns {string | null} what git printed; null when it failed, as without a repository or a commit
 */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout : null;
}
