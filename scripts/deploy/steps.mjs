import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { StepFailed } from '../lib/processes.mjs';
import { build, generateClient } from '../lib/steps.mjs';
import { withId } from './config.mjs';
import { requireHealthy } from './live.mjs';
import { deleteDeployment } from './pages-api.mjs';
import { allAtOnce, nameOf } from './plan.mjs';
import { CONFIG, configIsUncommitted } from './preflight.mjs';
import { applyMigrations, createProject, createStore, deployPages, putSecret } from './wrangler.mjs';

/**
 * The steps that change something, in their order. Each can be taken again.
 * @typedef {import('./plan.mjs').Target} Target
 * @typedef {import('./plan.mjs').Plan} Plan
 * @typedef {import('./config.mjs').Store} Store
 */

const SECRET_BYTES = 32;

/** Before anything is made: a build that fails is to leave nothing behind. */
export async function buildApp() {
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
 * Makes the stores and the project that are missing. An id is written down as soon as it is known: whatever fails next, the
 * store is not lost.
 * @param {Target} target
 * @param {Plan} plan
 */
export async function makeWhatIsMissing({ project, environmentName }, plan) {
  const preview = environmentName === 'preview';
  /**
   * @param {Store} store
   * @param {string} id
   */
  const writeDown = (store, id) =>
    writeFileSync(CONFIG, withId(readFileSync(CONFIG, 'utf8'), preview, store, id));

  for (const { store, id } of plan.adopt) writeDown(store, id);
  const stores = plan.create.map(async (store) => {
    console.log(`Making the ${nameOf(store)} …`);
    writeDown(store, await createStore(store));
  });
  await allAtOnce(plan.createProject ? [...stores, makeProject(project, plan.productionBranch)] : stores);
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
 * @param {Target} target
 * @param {Plan} plan
 */
export async function setSecrets({ project, environmentName }, { secrets }) {
  for (const name of secrets) {
    console.log(`Setting the secret ${name} …`);
    await putSecret(project, environmentName, name, randomBytes(SECRET_BYTES).toString('base64url'));
  }
}

/**
 * @param {Target} target
 * @param {Plan} plan
 */
export async function migrateDatabases({ section }, { migrate }) {
  for (const { binding } of migrate) {
    console.log(`Applying the migrations that ${binding} lacks …`);
    const applied = await applyMigrations(binding, section);
    console.log(`  ${applied.length === 0 ? 'none: it is up to date' : applied.join(', ')}`);
  }
}

/**
 * Uploads the build and asks it how it is.
 * @param {Target} target
 * @param {Plan} plan
 */
export async function deploy({ project, environmentName }, { branch }) {
  console.log(`Deploying to ${environmentName} …`);
  const deployed = await deployPages(project, branch);
  if (deployed.environment !== environmentName) {
    throw new StepFailed(
      `Branch "${branch}" went to ${deployed.environment}: since the plan was made, the production branch of "${project}" became "${deployed.production_branch}".\n` +
        `  What to do: see "Rollback" in docs/deploy.md, or change the branch back in the project's settings and run the same command again.`,
    );
  }
  console.log('Asking /healthz …');
  await requireHealthy(deployed.url);
  const site = environmentName === 'preview' ? (deployed.alias ?? deployed.url) : siteOf(deployed.url);
  console.log(`\n  Live: ${site}\n  This deployment by itself: ${deployed.url}`);
  if (configIsUncommitted()) {
    console.log('\n  wrangler.toml holds the ids of your stores now: commit it.');
  }
}

/**
 * Deletes the older deployments of the plan, or says that there are some: each goes on answering at an address of its own.
 * @param {Target} target
 * @param {Plan} plan
 */
export async function deleteOldDeployments({ project }, { older, deleteOld }) {
  if (deleteOld.length > 0) console.log(`\nDeleting ${deleteOld.length} older production deployments …`);
  for (const id of deleteOld) await deleteDeployment(project, id);
  const left = older - deleteOld.length;
  if (left === 0) return;
  console.log(
    `\n  ${left} older production deployment${left === 1 ? '' : 's'} can still be reached, with the stores of this one. ` +
      'After a security fix: "npm run deploy -- --delete-old" (docs/deploy.md).',
  );
}

/**
 * The site that a production deployment is on: Pages puts the deployment's own name before it.
 * @param {string} url
 */
function siteOf(url) {
  return url.replace(/^https:\/\/[^.]+\.(?=[^.]+\.pages\.dev)/, 'https://');
}
