import { StepFailed } from '../lib/processes.mjs';
import { d1Databases, kvNamespaces, projectState } from './wrangler.mjs';

/** Secrets that nobody needs to know: random, made once for each environment, never replaced. */
const GENERATED_SECRETS = ['DEVICE_COOKIE_SECRET'];

/**
 * What is to be deployed, and where to.
 * @typedef {object} Target
 * @property {string} project the Pages project
 * @property {'preview' | 'production'} environmentName
 * @property {string | null} section of wrangler.toml, null for its top level
 * @property {string} branch
 * @property {import('./config.mjs').Store[]} stores
 *
 * What has to be done for that: it is worked out from what is there, so a second run has little to do, and one after a
 * failure goes on where the first ended.
 * @typedef {object} Plan
 * @property {{ store: import('./config.mjs').Store, id: string }[]} adopt stores that exist by name, and whose id wrangler.toml lacks
 * @property {import('./config.mjs').Store[]} create
 * @property {import('./config.mjs').Store[]} keep
 * @property {boolean} createProject
 * @property {string[]} secrets to generate and set
 * @property {import('./config.mjs').Store[]} migrate
 */

/**
 * @param {Target} target
 * @returns {Promise<Plan>}
 */
export async function planFor({ project, environmentName, stores }) {
  const wanting = stores.filter(({ id }) => id === null);
  /** @param {'kv' | 'd1'} kind */
  const isWanted = (kind) => wanting.some((store) => store.kind === kind);
  /** @type {Map<string, string>} */
  const none = new Map();
  const [kv, d1, { exists, secrets }] = await allAtOnce([
    isWanted('kv') ? kvNamespaces() : Promise.resolve(none),
    isWanted('d1') ? d1Databases() : Promise.resolve(none),
    projectState(project, environmentName),
  ]);
  const found = { kv, d1 };
  return {
    adopt: wanting.flatMap((store) => {
      const id = found[store.kind].get(store.title);
      return id === undefined ? [] : [{ store, id }];
    }),
    create: wanting.filter(({ kind, title }) => !found[kind].has(title)),
    keep: stores.filter(({ id }) => id !== null),
    createProject: !exists,
    secrets: GENERATED_SECRETS.filter((name) => !secrets.includes(name)),
    migrate: stores.filter(({ hasMigrations }) => hasMigrations),
  };
}

/**
 * @param {Target} target
 * @param {Plan} plan
 * @returns {string} one line for each thing to do
 */
export function planInWords({ project, environmentName, branch }, plan) {
  const lines = [
    ...plan.keep.map((store) => ['keep', `${nameOf(store)}, id ${store.id}`]),
    ...plan.adopt.map(({ store, id }) => [
      'use',
      `${nameOf(store)}, found by its name; its id ${id} goes into wrangler.toml`,
    ]),
    ...plan.create.map((store) => ['make', `${nameOf(store)}; its id goes into wrangler.toml`]),
    plan.createProject
      ? ['make', `Pages project "${project}"`]
      : ['keep', `Pages project "${project}", with its settings and domains`],
    ...plan.secrets.map((name) => ['set', `secret ${name}, random`]),
    ...plan.migrate.map(({ binding }) => ['apply', `the migrations that ${binding} lacks`]),
    ['build', 'the app'],
    ['deploy', `as ${environmentName} (branch "${branch}")`],
    ['ask', '/healthz of what is then live'],
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
