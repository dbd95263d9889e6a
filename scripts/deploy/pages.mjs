import { StepFailed } from '../lib/processes.mjs';
import { callApi, deployByWrangler, wrangler } from './wrangler.mjs';

/** The host Pages: how deploy.mjs creates a Pages project and deploys to it. */

const NO_SUCH_PROJECT = 8_000_007;
/** The maximum number of deployments in one page of the API's list. */
const DEPLOYMENTS_ON_A_PAGE = 25;
/** Each takes one API call: some seconds in total. */
const DELETED_AT_MOST = 100;

/** The production branch of a new project if nobody chose one. */
const DEFAULT_PRODUCTION_BRANCH = 'main';
const DEFAULT_PREVIEW_BRANCH = 'preview';

/**
 * @typedef {import('./plan.mjs').Target} Target
 * @typedef {{ exists: boolean, secrets: string[], branch: string, productionBranch: string, older: number, deleteOld: string[] }} Found
 * `secrets`: the names of the environment's; `branch`: the one it is deployed as; `deleteOld`: ids of the deployments to delete
 *
 * @param {Target} target
 * @returns {Promise<Found>}
 */
async function look(target) {
  const { project, environmentName } = target;
  const { result } = await callApi('GET', pathOf(project), [NO_SUCH_PROJECT]);
  const branches = branchesOf(target, result?.production_branch ?? null);
  const variables = Object.entries(result?.deployment_configs[environmentName]?.env_vars ?? {});
  const old =
    result && environmentName === 'production'
      ? await productionDeployments(project, target.deleteOld ? DELETED_AT_MOST : 1)
      : { ids: [], total: 0 };
  return {
    exists: Boolean(result),
    secrets: variables.flatMap(([name, variable]) => (variable?.type === 'secret_text' ? [name] : [])),
    ...branches,
    older: old.total,
    deleteOld: target.deleteOld ? old.ids : [],
  };
}

/**
 * For Pages, only the branch decides what a deployment becomes. So this check runs before everything else. It throws if the branch does not
 * belong to the intended environment.
 *
 * @param {Target} target
 * @param {string | null} existing the production branch of the project; null if the project does not exist yet
 * @returns {{ branch: string, productionBranch: string }}
 */
export function branchesOf({ project, environmentName, branch }, existing) {
  const isProduction = environmentName === 'production';
  const productionBranch = existing ?? (isProduction ? branch : null) ?? DEFAULT_PRODUCTION_BRANCH;
  const chosen = branch ?? (isProduction ? productionBranch : DEFAULT_PREVIEW_BRANCH);
  if ((chosen === productionBranch) === isProduction) return { branch: chosen, productionBranch };
  throw new StepFailed(
    `Nothing was changed, because branch "${chosen}" would go to ${isProduction ? 'preview' : 'production'}: ` +
      `the production branch of "${project}" ${existing === null ? 'will be' : 'is'} "${productionBranch}".\n  What to do: ` +
      (isProduction
        ? 'leave --branch out, add --preview, or change the production branch in the settings of the project.'
        : 'choose another --branch, or leave --preview out.'),
  );
}

/**
 * @param {string} project
 * @param {number} most how many ids are wanted
 * @returns {Promise<{ ids: string[], total: number }>} the production deployments, the newest first, and how many there are
 */
async function productionDeployments(project, most) {
  /** @type {string[]} */
  const ids = [];
  for (let page = 1; ; page++) {
    const query = `?env=production&page=${page}&per_page=${DEPLOYMENTS_ON_A_PAGE}`;
    const { result, result_info } = await callApi('GET', `${pathOf(project)}/deployments${query}`);
    for (const { id } of result) ids.push(id);
    if (result.length < DEPLOYMENTS_ON_A_PAGE || ids.length >= most) {
      return { ids: ids.slice(0, most), total: result_info?.total_count ?? ids.length };
    }
  }
}

/** @param {string} project */
function pathOf(project) {
  return `/pages/projects/${encodeURIComponent(project)}`;
}

/**
 * Creates the project. Without --force, wrangler run by a coding agent would deploy a Worker instead.
 *
 * @param {Target} target
 * @param {Found} found
 */
async function make({ project }, { productionBranch }) {
  console.log(`Making the Pages project "${project}" …`);
  await wrangler(['pages', 'project', 'create', project, '--production-branch', productionBranch, '--force']);
}

/**
 * Sets the secrets and uploads the build.
 * @param {Target} target
 * @param {Found} found
 * @param {Record<string, string>} secrets go through standard input: arguments can be read by every user of a machine
 * @returns {Promise<{ url: string, site: string }>}
 */
async function upload({ project, environmentName }, { branch }, secrets) {
  for (const [name, value] of Object.entries(secrets)) {
    console.log(`Setting the secret ${name} …`);
    const where = ['--project-name', project, '--env', environmentName];
    await wrangler(['pages', 'secret', 'put', name, ...where], { input: value });
  }
  console.log(`Deploying to ${environmentName} …`);
  const where = ['--project-name', project, '--branch', branch];
  /** @type {{ url: string, alias?: string, environment: string, production_branch: string }} */
  const deployed = await deployByWrangler(['pages', 'deploy', ...where], 'pages-deploy-detailed');
  const { url, alias, environment, production_branch } = deployed;
  if (environment !== environmentName) {
    throw new StepFailed(
      `Branch "${branch}" went to ${environment}: since the plan was made, the production branch of "${project}" became "${production_branch}".\n` +
        `  What to do: see "Rollback" in docs/deploy.md, or change the branch back in the project's settings and run the same command again.`,
    );
  }
  // Pages puts the deployment's own name in front of the site's.
  const site = url.replace(/^https:\/\/[^.]+\.(?=[^.]+\.pages\.dev)/, 'https://');
  return { url, site: environmentName === 'preview' ? (alias ?? url) : site };
}

/**
 * Deletes the older deployments in the plan, or says that there are some: each still responds at its own URL.
 *
 * @param {Target} target
 * @param {Found} found
 */
async function finish({ project }, { older, deleteOld }) {
  if (deleteOld.length > 0) console.log(`\nDeleting ${deleteOld.length} older production deployments …`);
  // `force` also deletes a deployment that a branch's own URL still leads to. Cloudflare refuses to delete the live one.
  for (const id of deleteOld) await callApi('DELETE', `${pathOf(project)}/deployments/${id}?force=true`);
  const left = older - deleteOld.length;
  if (left === 0) return;
  console.log(
    `\n  ${left} older production deployment${left === 1 ? '' : 's'} can still be reached, with the stores of this one. ` +
      'After a security fix: "npm run deploy -- --delete-old" (docs/deploy.md).',
  );
}

/** @type {import('./plan.mjs').Host<Found>} */
export const PAGES = {
  config: 'wrangler.toml',
  watch: 'npx wrangler pages deployment tail',
  look,
  words: ({ project, environmentName }, { exists, productionBranch, branch, older, deleteOld }) => ({
    site: exists
      ? ['keep', `Pages project "${project}", with its settings and domains`]
      : ['make', `Pages project "${project}", with the production branch "${productionBranch}"`],
    deploy: ['deploy', `as ${environmentName} (branch "${branch}")`],
    after:
      deleteOld.length > 0
        ? [['delete', `${deleteOld.length} of ${older} older production deployments: no way back to them`]]
        : [],
  }),
  make,
  upload,
  finish,
};
