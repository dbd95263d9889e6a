import { StepFailed } from '../lib/processes.mjs';
import { CONFIGS } from './config.mjs';
import { d1Databases, kvNamespaces } from './wrangler.mjs';

/** Secrets that nobody needs to know. They are random, created once per environment and never replaced. */
const GENERATED_SECRETS = ['COOKIE_SECRET'];

/**
 * What is to be deployed, and where to.
 * @typedef {object} Target
 * @property {string} project its name
 * @property {'preview' | 'production'} environmentName
 * @property {string[]} where the words that name its configuration and environment to wrangler
 * @property {string | null} branch of Pages, the one that was asked for
 * @property {boolean} deleteOld whether older production deployments of Pages are to be deleted
 * @property {string | null} location a hint for a database that is made
 * @property {import('./config.mjs').Store[]} stores
 */

/**
 * What serves the app: Pages, or a Worker. `F` is what `look` found of it.
 * @template {{ exists: boolean, secrets: string[] }} [F=any]
 * @typedef {object} Host
 * @property {string} config its configuration file
 * @property {string} watch the command that shows its log
 * @property {(target: Target) => Promise<F>} look asks what is there; changes nothing
 * @property {(target: Target, found: F) => { site: string[], deploy: string[], after: string[][] }} words the plan's lines about it
 * @property {(target: Target, found: F) => Promise<void>} make makes it, if that is a step of its own
 * @property {(target: Target, found: F, secrets: Record<string, string>) => Promise<{ url: string, site: string }>} upload
 * @property {(target: Target, found: F) => Promise<void>} finish what comes once it is well
 */

/**
 * What has to be done: it is worked out from what is there, so a second run has little to do, and one after a
 * failure goes on where the first ended.
 * @typedef {object} Plan
 * @property {any} found of the host
 * @property {{ store: import('./config.mjs').Store, id: string }[]} adopt stores that exist by name, and whose id the configuration lacks
 * @property {import('./config.mjs').Store[]} create
 * @property {import('./config.mjs').Store[]} keep
 * @property {string[]} secrets to generate and set
 */

/**
 * @param {Host} host
 * @param {Target} target
 * @returns {Promise<Plan>}
 */
export async function planFor(host, target) {
  const found = await host.look(target);
  const wanting = target.stores.filter(({ id }) => id === null);
  /** @param {'kv' | 'd1'} kind @param {() => Promise<Map<string, string>>} list */
  const listed = (kind, list) =>
    wanting.some((store) => store.kind === kind) ? list() : Promise.resolve(new Map());
  const [kv, d1] = await allAtOnce([listed('kv', kvNamespaces), listed('d1', d1Databases)]);
  const ids = { kv, d1 };
  return {
    found,
    adopt: wanting.flatMap((store) => {
      const id = ids[store.kind].get(store.title);
      return id === undefined ? [] : [{ store, id }];
    }),
    create: wanting.filter(({ kind, title }) => !ids[kind].has(title)),
    keep: target.stores.filter(({ id }) => id !== null),
    secrets: GENERATED_SECRETS.filter((name) => !found.secrets.includes(name)),
  };
}

/**
 * @param {Host} host
 * @param {Target} target
 * @param {Plan} plan
 * @returns {string} one line for each thing to do
 */
export function planInWords(host, target, { found, keep, adopt, create, secrets }) {
  const { site, deploy, after } = host.words(target, found);
  const where = target.location
    ? `, location "${target.location}"`
    : ', location automatic: near this machine (--location puts it near your users)';
  const lines = [
    ...keep.map((store) => ['keep', `${nameOf(store)}, id ${store.id}`]),
    ...adopt.map(({ store, id }) => [
      'use',
      `${nameOf(store)}, found by its name; its id ${id} goes into ${CONFIGS.join(' and ')}`,
    ]),
    ...create.map((store) => [
      'make',
      `${nameOf(store)}${store.kind === 'd1' ? where : ''}; its id goes into ${CONFIGS.join(' and ')}`,
    ]),
    site,
    ...secrets.map((name) => ['set', `secret ${name}, random`]),
    ...databasesOf(target).map(({ binding }) => ['apply', `the migrations that ${binding} lacks`]),
    ['build', 'the app'],
    deploy,
    ['ask', '/healthz of what is then live'],
    ...after,
  ];
  return lines.map(([verb = '', what]) => `  ${verb.padEnd(7)} ${what}`).join('\n');
}

/** The databases of a target that have migrations. @param {Target} target */
export function databasesOf({ stores }) {
  return stores.filter(({ hasMigrations }) => hasMigrations);
}

/** @param {import('./config.mjs').Store} store */
export function nameOf({ kind, title, binding }) {
  return `${kind === 'kv' ? 'KV namespace' : 'D1 database'} "${title}" (${binding})`;
}

/**
 * Waits for all tasks, so that one failure does not cut the others off half-way. Throws all failures as one error.
 *
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
