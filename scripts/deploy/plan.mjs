import { StepFailed } from '../lib/processes.mjs';
import { productionDeployments, projectState } from './pages-api.mjs';
import { d1Databases, kvNamespaces } from './wrangler.mjs';

/** Secrets that nobody needs to know: random, made once for each environment, never replaced. */
const GENERATED_SECRETS = ['COOKIE_SECRET'];

/** Of the production branch of a project that is made without anybody choosing one. */
const DEFAULT_PRODUCTION_BRANCH = 'main';
const DEFAULT_PREVIEW_BRANCH = 'preview';

/** Each is one call: some seconds in all. */
const DELETED_AT_MOST = 100;

/**
 * What is to be deployed, and where to.
 * @typedef {object} Target
 * @property {string} project the Pages project
 * @property {'preview' | 'production'} environmentName
 * @property {string | null} section of wrangler.toml, null for its top level
 * @property {string | null} branch the one that was asked for
 * @property {boolean} deleteOld whether older production deployments are to be deleted
 * @property {import('./config.mjs').Store[]} stores
 *
 * What has to be done for that: it is worked out from what is there, so a second run has little to do, and one after a
 * failure goes on where the first ended.
 * @typedef {object} Plan
 * @property {{ store: import('./config.mjs').Store, id: string }[]} adopt stores that exist by name, and whose id wrangler.toml lacks
 * @property {import('./config.mjs').Store[]} create
 * @property {import('./config.mjs').Store[]} keep
 * @property {boolean} createProject
 * @property {string} branch the one it is deployed as
 * @property {string} productionBranch the project's, or what it is to be
 * @property {string[]} secrets to generate and set
 * @property {import('./config.mjs').Store[]} migrate
 * @property {number} older how many production deployments there are already
 * @property {string[]} deleteOld the ids of those to delete
 */

/**
 * Pages decides by the branch alone what a deployment becomes. So this comes before everything else, and throws when the
 * branch is not of the environment that is meant.
 * @param {Target} target
 * @param {string | null} existing the production branch of the project; null when it is to be made
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
 * @param {Target} target
 * @returns {Promise<Plan>}
 */
export async function planFor(target) {
  const { project, environmentName, stores } = target;
  const existing = await projectState(project, environmentName);
  const branches = branchesOf(target, existing?.productionBranch ?? null);
  const wanting = stores.filter(({ id }) => id === null);
  /** @param {'kv' | 'd1'} kind */
  const isWanted = (kind) => wanting.some((store) => store.kind === kind);
  /** @type {Map<string, string>} */
  const none = new Map();
  const [kv, d1, old] = await allAtOnce([
    isWanted('kv') ? kvNamespaces() : Promise.resolve(none),
    isWanted('d1') ? d1Databases() : Promise.resolve(none),
    existing && environmentName === 'production'
      ? productionDeployments(project, target.deleteOld ? DELETED_AT_MOST : 1)
      : Promise.resolve({ ids: [], total: 0 }),
  ]);
  const found = { kv, d1 };
  return {
    adopt: wanting.flatMap((store) => {
      const id = found[store.kind].get(store.title);
      return id === undefined ? [] : [{ store, id }];
    }),
    create: wanting.filter(({ kind, title }) => !found[kind].has(title)),
    keep: stores.filter(({ id }) => id !== null),
    createProject: existing === null,
    ...branches,
    secrets: GENERATED_SECRETS.filter((name) => !existing?.secrets.includes(name)),
    migrate: stores.filter(({ hasMigrations }) => hasMigrations),
    older: old.total,
    deleteOld: target.deleteOld ? old.ids : [],
  };
}

/**
 * @param {Target} target
 * @param {Plan} plan
 * @returns {string} one line for each thing to do
 */
export function planInWords({ project, environmentName }, plan) {
  const lines = [
    ...plan.keep.map((store) => ['keep', `${nameOf(store)}, id ${store.id}`]),
    ...plan.adopt.map(({ store, id }) => [
      'use',
      `${nameOf(store)}, found by its name; its id ${id} goes into wrangler.toml`,
    ]),
    ...plan.create.map((store) => ['make', `${nameOf(store)}; its id goes into wrangler.toml`]),
    plan.createProject
      ? ['make', `Pages project "${project}", with the production branch "${plan.productionBranch}"`]
      : ['keep', `Pages project "${project}", with its settings and domains`],
    ...plan.secrets.map((name) => ['set', `secret ${name}, random`]),
    ...plan.migrate.map(({ binding }) => ['apply', `the migrations that ${binding} lacks`]),
    ['build', 'the app'],
    ['deploy', `as ${environmentName} (branch "${plan.branch}")`],
    ['ask', '/healthz of what is then live'],
    ...(plan.deleteOld.length > 0
      ? [
          [
            'delete',
            `${plan.deleteOld.length} of ${plan.older} older production deployments: no way back to them`,
          ],
        ]
      : []),
  ];
  return lines.map(([verb = '', what]) => `  ${verb.padEnd(7)} ${what}`).join('\n');
}

/** @param {import('./config.mjs').Store} store */
export function nameOf({ kind, title, binding }) {
  return `${kind === 'kv' ? 'KV namespace' : 'D1 database'} "${title}" (${binding})`;
}

/**
 * Waits for all: one that fails must not cut the others off half-way. Throws what failed as one error.
 * @template {unknown[]} T
 * @param {{ [K in keyof T]: Promise<T[K]> }} tasks
 * @returns {Promise<T>}
 */
export async function allAtOnce(tasks) {
  const outcomes = await Promise.allSettled(tasks);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
  const unexpected = reasons.find((reason) => !(reason instanceof StepFailed));
  if (unexpected) throw unexpected;
  if (reasons.length > 0) throw new StepFailed(reasons.map(({ message }) => message).join('\n'));
  return Promise.all(tasks);
}
