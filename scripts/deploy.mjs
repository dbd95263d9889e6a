/**
 * `npm run deploy`: from a clone to a live site on Cloudflare Pages. Checks, plans, makes what is missing, deploys, and asks
 * the live site how it is. Run again, it changes nothing but the deployment; after a failure it goes on where that was.
 * docs/deploy.md has the rest. All through wrangler's own commands.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { environmentOf, parseConfig, storesOf } from './deploy/config.mjs';
import { planFor, planInWords } from './deploy/plan.mjs';
import { CONFIG, requireNoProblems } from './deploy/preflight.mjs';
import {
  buildApp,
  deleteOldDeployments,
  deploy,
  makeWhatIsMissing,
  migrateDatabases,
  setSecrets,
} from './deploy/steps.mjs';
import { findAccount } from './deploy/wrangler.mjs';
import { main, StepFailed } from './lib/processes.mjs';

const USAGE = `Usage: npm run deploy [-- options]
  --preview        the preview environment, with stores of its own, instead of production
  --branch NAME    the branch it is deployed as (the project's production branch; with --preview "preview")
  --delete-old     once it is well, delete the older production deployments
  --dry-run        print the plan, change nothing
  --allow-dirty    deploy what is not committed
  --skip-build     take the build that is there`;

await main(async () => {
  const options = readOptions();
  console.log('Checking wrangler.toml, the sources and the git tree …');
  requireNoProblems(options);

  console.log('Looking at the Cloudflare account …');
  const account = await findAccount();
  process.env.CLOUDFLARE_ACCOUNT_ID = account;
  const target = readTarget(options);
  const plan = await planFor(target);
  console.log(`\nThe plan for account ${account}:\n${planInWords(target, plan)}\n`);
  if (options.dryRun) return console.log('Nothing was changed.');

  if (!options.skipBuild) await buildApp();
  await makeWhatIsMissing(target, plan);
  await setSecrets(target, plan);
  await migrateDatabases(target, plan);
  await deploy(target, plan);
  await deleteOldDeployments(target, plan);
});

function readOptions() {
  const { preview, branch, ...flags } = parse();
  // With an empty one wrangler takes git's branch, which may be production's; one that begins with "-" is an option to it.
  if (branch !== undefined && !/^[^\s-]\S*$/.test(branch)) {
    throw new StepFailed(`--branch takes the name of a branch.\n\n${USAGE}`);
  }
  if (preview && flags['delete-old']) throw new StepFailed(`--delete-old is for production.\n\n${USAGE}`);
  return {
    preview,
    branch: branch ?? null,
    deleteOld: flags['delete-old'],
    dryRun: flags['dry-run'],
    allowDirty: flags['allow-dirty'],
    skipBuild: flags['skip-build'],
  };
}

function parse() {
  try {
    return parseArgs({
      options: {
        preview: { type: 'boolean', default: false },
        branch: { type: 'string' },
        'delete-old': { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        'allow-dirty': { type: 'boolean', default: false },
        'skip-build': { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new StepFailed(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
  }
}

/**
 * @param {ReturnType<typeof readOptions>} options
 * @returns {import('./deploy/plan.mjs').Target}
 */
function readTarget({ preview, branch, deleteOld }) {
  const config = parseConfig(readFileSync(CONFIG, 'utf8'));
  return {
    project: String(config.name),
    environmentName: preview ? 'preview' : 'production',
    section: environmentOf(config, preview).name,
    branch,
    deleteOld,
    stores: storesOf(config, preview),
  };
}
