import { join } from 'node:path';
import { broken, note, ok } from './finding.mjs';

/** @typedef {import('./finding.mjs').Finding} Finding */
/** @typedef {import('./finding.mjs').Place} Place */

const LAYOUTS = ['owner', 'index'];
const ENVIRONMENTS = [
  { name: undefined, label: 'production', section: '' },
  { name: 'preview', label: 'preview', section: 'env.preview.' },
];
/** The ids that wrangler.toml comes with: zeros, and a digit to tell two of them apart. */
const PLACEHOLDER = /^[0-]+\d$/;

/**
 * wrangler.toml, as wrangler reads it: each environment has the bindings that the app looks for.
 * @param {Place} place
 * @returns {Promise<Finding[]>}
 */
export async function checkConfig({ root }) {
  const { unstable_readConfig } = await import('wrangler');
  const config = join(root, 'wrangler.toml');
  try {
    const environments = ENVIRONMENTS.map((environment) => ({
      ...environment,
      settings: unstable_readConfig({ config, env: environment.name }, { hideWarnings: true }),
    }));
    const findings = environments.flatMap(findingsOf);
    return [...findings, ...sharedStores(environments.map(({ settings }) => settings))];
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim() : error;
    return [broken(`wrangler.toml cannot be read: ${reason}`, 'correct it, or: git checkout wrangler.toml')];
  }
}

/**
 * What of an environment's settings is looked at. Wrangler's own type for them is not in its package.
 * @typedef {{
 *   vars: Record<string, unknown>,
 *   kv_namespaces: { binding: string, id?: string }[],
 *   d1_databases: { binding: string, database_id?: string }[],
 * }} Settings
 */

/** @param {{ label: string, section: string, settings: Settings }} environment */
function findingsOf({ label, section, settings }) {
  const kv = settings.kv_namespaces.find(({ binding }) => binding === 'SESSIONS');
  const db = settings.d1_databases.find(({ binding }) => binding === 'DB');
  const layout = settings.vars.SESSION_LAYOUT ?? 'owner';
  /** @type {Finding[]} */
  const findings = [];
  if (!kv) findings.push(missing('KV namespace', 'SESSIONS', label, `${section}kv_namespaces`));
  if (!db) findings.push(missing('D1 database', 'DB', label, `${section}d1_databases`));
  if (!LAYOUTS.includes(String(layout))) {
    findings.push(
      broken(
        `SESSION_LAYOUT of ${label} is "${layout}"`,
        `set it to "owner" or "index" under [${section}vars] in wrangler.toml`,
      ),
    );
  }
  if (findings.length > 0) return findings;
  const placeholders = [kv?.id, db?.database_id].some((id) => PLACEHOLDER.test(id ?? ''));
  const ids = placeholders ? '; the ids are placeholders, which is enough on this machine' : '';
  return [ok(`wrangler.toml has the bindings of ${label}${ids}`)];
}

/**
 * @param {string} kind
 * @param {string} name
 * @param {string} label
 * @param {string} section
 */
function missing(kind, name, label, section) {
  return broken(
    `wrangler.toml has no ${kind} "${name}" for ${label}`,
    `add binding = "${name}" under [[${section}]]: nothing is inherited from another environment`,
  );
}

/** @param {Settings[]} environments */
function sharedStores([production, preview]) {
  const ids = (/** @type {Settings | undefined} */ settings) => [
    ...(settings?.kv_namespaces ?? []).map(({ id }) => id),
    ...(settings?.d1_databases ?? []).map(({ database_id }) => database_id),
  ];
  const shared = ids(production).filter((id) => id !== undefined && ids(preview).includes(id));
  return shared.length === 0
    ? []
    : [
        note(
          `production and preview share a store: ${shared.join(', ')}`,
          'give [env.preview] stores of its own, or each preview works on real accounts',
        ),
      ];
}
