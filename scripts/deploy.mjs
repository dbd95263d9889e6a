/** `npm run deploy`: from a clone to a live site on Cloudflare Pages or, with --workers, as a Worker. Details: docs/deploy.md. */
import { command, requireBindings } from './lib/command.mjs';
import { StepFailed } from './lib/processes.mjs';

/** D1's location hints, as wrangler accepts them. */
const LOCATIONS = ['weur', 'eeur', 'apac', 'oc', 'wnam', 'enam'];

const usage = `Usage: npm run deploy [-- options]
  --preview        the preview environment, with its own stores, instead of production
  --workers        as a Worker with static assets, instead of to Pages
  --location HINT  where to create the database, if it does not exist: ${LOCATIONS.join(', ')} (automatic: near this machine)
  --branch NAME    Pages: the branch to deploy as (the project's production branch; with --preview "preview")
  --delete-old     Pages: once the new one is healthy, delete the older production deployments
  --dry-run        print the plan, change nothing
  --allow-dirty    deploy uncommitted changes
  --skip-build     use the existing build`;

const options = /** @type {const} */ ({
  preview: { type: 'boolean' },
  workers: { type: 'boolean' },
  location: { type: 'string' },
  branch: { type: 'string' },
  'delete-old': { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  'allow-dirty': { type: 'boolean' },
  'skip-build': { type: 'boolean' },
});

await command({ usage, options }, async (given) => {
  const wrong = wrongWith(given);
  if (wrong) throw new StepFailed(`${wrong}\n\n${usage}`);
  if (given.workers) await requireBindings('wrangler.workers.toml');
  const { deploy } = await import('./deploy/deploy.mjs');
  await deploy({
    preview: given.preview === true,
    workers: given.workers === true,
    location: given.location === undefined ? null : String(given.location),
    branch: given.branch === undefined ? null : String(given.branch),
    deleteOld: given['delete-old'] === true,
    dryRun: given['dry-run'] === true,
    allowDirty: given['allow-dirty'] === true,
    skipBuild: given['skip-build'] === true,
  });
});

/** @param {import('./lib/command.mjs').Values} given */
function wrongWith({ preview, workers, location, branch, 'delete-old': deleteOld }) {
  // With an empty branch, wrangler uses git's branch, which may be production's. A branch that begins with "-" would be an option.
  if (branch !== undefined && !/^[^\s-]\S*$/.test(String(branch))) {
    return '--branch takes the name of a branch.';
  }
  if (preview && deleteOld) return '--delete-old is for production.';
  if (workers && (branch !== undefined || deleteOld)) {
    return '--branch and --delete-old are for Pages: a Worker has no branches, and its old versions have no address.';
  }
  if (location !== undefined && !LOCATIONS.includes(String(location))) {
    return `--location takes one of ${LOCATIONS.join(', ')}.`;
  }
  return null;
}
