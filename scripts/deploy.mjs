/**
 * `npm run deploy`: from a clone to a live site on Cloudflare Pages. Checks, plans, makes what is missing, deploys, and asks
 * the live site how it is. Run again, it changes nothing but the deployment; after a failure it goes on where that was.
 * docs/deploy.md has the rest. All through wrangler's own commands.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { problemsInConfig, problemsInSource, problemsInTree } from './deploy/checks.mjs';
import { environmentOf, parseConfig, storesOf, withId } from './deploy/config.mjs';
import { requireHealthy } from './deploy/live.mjs';
import { allAtOnce, nameOf, planFor, planInWords } from './deploy/plan.mjs';
import {
  applyMigrations,
  createProject,
  createStore,
  deployPages,
  findAccount,
  putSecret,
} from './deploy/wrangler.mjs';
import { main, ROOT, StepFailed } from './lib/processes.mjs';
import { build, generateClient } from './lib/steps.mjs';

const USAGE = `Usage: npm run deploy [-- options]
  --preview        the preview environment, with stores of its own, instead of production
  --branch NAME    the branch it is deployed as ("main"; with --preview "preview")
  --dry-run        print the plan, change nothing
  --allow-dirty    deploy what is not committed
  --skip-build     take the build that is there`;

const CONFIG = join(ROOT, 'wrangler.toml');
const SECRET_BYTES = 32;

await main(async () => {
  const options = readOptions();
  console.log('Checking wrangler.toml, the sources and the git tree …');
  requireNoProblems(options);
  console.log('Looking at the Cloudflare account …');
  process.env.CLOUDFLARE_ACCOUNT_ID = await findAccount();
  const target = readTarget(options);
  const plan = await planFor(target);
  console.log(`\nThe plan for account ${process.env.CLOUDFLARE_ACCOUNT_ID}:\n${planInWords(target, plan)}\n`);
  if (options['dry-run']) return console.log('Nothing was changed.');

  if (!options['skip-build']) {
    console.log('Building …');
    await generateClient();
    await build();
  }
  await makeStores(target, plan);
  await setSecrets(target, plan);
  for (const { binding } of plan.migrate) await migrate(target, binding);
  await deploy(target);
});

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        preview: { type: 'boolean', default: false },
        branch: { type: 'string' },
        'dry-run': { type: 'boolean', default: false },
        'allow-dirty': { type: 'boolean', default: false },
        'skip-build': { type: 'boolean', default: false },
      },
    });
    return { ...values, branch: values.branch ?? (values.preview ? 'preview' : 'main') };
  } catch (error) {
    throw new StepFailed(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/**
 * What can be known to go wrong, before anything is made.
 * @param {ReturnType<typeof readOptions>} options
 */
function requireNoProblems(options) {
  const current = readFileSync(CONFIG, 'utf8');
  const config = parseConfig(current);
  const problems = [...problemsInConfig(config), ...problemsInSource(sources())];
  if (!options['allow-dirty']) {
    const status = git('status', '--porcelain', '--untracked-files=normal');
    // Without git there is nothing to compare with.
    if (status !== null) {
      problems.push(
        ...problemsInTree({ status, committed: git('show', 'HEAD:./wrangler.toml') ?? '', current }),
      );
    }
  }
  if (options['skip-build'] && !existsSync(join(ROOT, String(config.pages_build_output_dir), '_worker.js'))) {
    problems.push('--skip-build: there is no build yet. Leave it out.');
  }
  if (problems.length === 0) return;
  throw new StepFailed(
    `Nothing was changed, because this would not work:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
  );
}

function sources() {
  const folder = join(ROOT, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:[cm]?[jt]s|svelte)$/.test(path))
    .map((path) => ({ path: `src/${path}`, text: readFileSync(join(folder, path), 'utf8') }));
}

/**
 * @param {string[]} args
 * @returns {string | null} what git printed; null without git, a repository or a commit
 */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout : null;
}

/**
 * @param {ReturnType<typeof readOptions>} options
 * @returns {import('./deploy/plan.mjs').Target}
 */
function readTarget({ preview, branch }) {
  const config = parseConfig(readFileSync(CONFIG, 'utf8'));
  return {
    project: String(config.name),
    environmentName: preview ? 'preview' : 'production',
    section: environmentOf(config, preview).name,
    branch,
    stores: storesOf(config, preview),
  };
}

/**
 * Makes the stores and the project that are missing. An id is written down as soon as it is known: whatever fails next, the store
 * is not lost.
 * @param {import('./deploy/plan.mjs').Target} target
 * @param {import('./deploy/plan.mjs').Plan} plan
 */
async function makeStores({ project, environmentName, branch }, plan) {
  /** @param {import('./deploy/config.mjs').Store} store @param {string} id */
  const writeDown = (store, id) =>
    writeFileSync(CONFIG, withId(readFileSync(CONFIG, 'utf8'), environmentName === 'preview', store, id));

  for (const { store, id } of plan.adopt) writeDown(store, id);
  await allAtOnce([
    ...plan.create.map(async (store) => {
      console.log(`Making the ${nameOf(store)} …`);
      writeDown(store, await createStore(store));
    }),
    ...(plan.createProject ? [makeProject(project, environmentName === 'preview' ? 'main' : branch)] : []),
  ]);
}

/**
 * @param {string} project
 * @param {string} productionBranch
 */
async function makeProject(project, productionBranch) {
  console.log(`Making the Pages project "${project}" …`);
  await createProject(project, productionBranch);
}

/**
 * @param {import('./deploy/plan.mjs').Target} target
 * @param {import('./deploy/plan.mjs').Plan} plan
 */
async function setSecrets({ project, environmentName }, { secrets }) {
  for (const name of secrets) {
    console.log(`Setting the secret ${name} …`);
    await putSecret(project, environmentName, name, randomBytes(SECRET_BYTES).toString('base64url'));
  }
}

/**
 * @param {import('./deploy/plan.mjs').Target} target
 * @param {string} binding
 */
async function migrate({ section }, binding) {
  console.log(`Applying the migrations that ${binding} lacks …`);
  const applied = await applyMigrations(binding, section);
  console.log(`  ${applied.length === 0 ? 'none: it is up to date' : applied.join(', ')}`);
}

/** @param {import('./deploy/plan.mjs').Target} target */
async function deploy({ project, environmentName, branch }) {
  console.log(`Deploying to ${environmentName} …`);
  const deployed = await deployPages(project, branch);
  if (deployed.environment !== environmentName) {
    throw new StepFailed(
      `Branch "${branch}" went to ${deployed.environment}: the production branch of "${project}" is "${deployed.production_branch}".\n` +
        `  What to do: ${environmentName === 'production' ? `add "-- --branch ${deployed.production_branch}"` : 'choose another --branch'}, or change it in the project's settings.`,
    );
  }
  console.log('Asking /healthz …');
  await requireHealthy(deployed.url);
  console.log(
    `\n  Live: ${environmentName === 'preview' ? (deployed.alias ?? deployed.url) : siteOf(deployed.url)}`,
  );
  console.log(`  This deployment by itself: ${deployed.url}`);
  if (git('diff', '--quiet', 'HEAD', '--', 'wrangler.toml') === null && git('rev-parse', 'HEAD') !== null) {
    console.log('\n  wrangler.toml holds the ids of your stores now: commit it.');
  }
}

/**
 * The site that a production deployment is on: Pages puts the deployment's own name before it.
 * @param {string} url
 */
function siteOf(url) {
  return url.replace(/^https:\/\/[^.]+\.(?=[^.]+\.pages\.dev)/, 'https://');
}
