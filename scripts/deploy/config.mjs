import { parse, patch } from '@decimalturn/toml-patch';

/**
 * What this script reads of wrangler.toml; the rest passes through it untouched.
 * @typedef {{ binding: string, id?: string }} KvBinding
 * @typedef {{ binding: string, database_name?: string, database_id?: string, migrations_dir?: string }} D1Binding
 * @typedef {Record<string, unknown> & {
 *   vars?: Record<string, unknown>,
 *   kv_namespaces?: KvBinding[],
 *   d1_databases?: D1Binding[],
 *   queues?: { producers?: { binding: string }[], consumers?: unknown[] },
 *   durable_objects?: { bindings?: { name: string, script_name?: string }[] },
 * }} Environment
 * @typedef {Environment & { name?: string, pages_build_output_dir?: string, env?: Record<string, Environment> }} Config
 */

/**
 * A store that the deployment needs: `title` is its name in the account, `id` is null while wrangler.toml has a placeholder.
 * @typedef {{ kind: 'kv' | 'd1', binding: string, title: string, id: string | null, hasMigrations: boolean }} Store
 */

/** The configuration files of Pages and of Workers. A test checks that their stores and variables are the same. */
export const CONFIGS = ['wrangler.toml', 'wrangler.workers.toml'];

/** The placeholder ids in this repository: zeros, and a last digit that keeps the local stores of the environments apart. */
const PLACEHOLDER = /^0{31}[0-9a-f]$/;

/**
 * @param {string} text of a configuration
 * @returns {Config}
 */
export function parseConfig(text) {
  return parse(text);
}

/**
 * Returns an environment's own section or, for production without one, the top level of the file.
 *
 * @param {Config} config
 * @param {boolean} preview
 * @returns {{ environment: Environment, name: 'preview' | 'production' | null }} `name` is null for the top level
 */
export function environmentOf(config, preview) {
  const name = preview ? 'preview' : 'production';
  const section = config.env?.[name];
  return section ? { environment: section, name } : { environment: config, name: null };
}

/**
 * The KV namespaces and D1 databases of an environment. KV bindings have no name in the account, so it is built from the project's name and
 * the binding's.
 *
 * @param {Config} config
 * @param {boolean} preview
 * @returns {Store[]}
 */
export function storesOf(config, preview) {
  const { environment } = environmentOf(config, preview);
  const prefix = `${config.name}${preview ? '-preview' : ''}`;
  return [
    ...(environment.kv_namespaces ?? []).map(({ binding, id }) => ({
      kind: /** @type {const} */ ('kv'),
      binding,
      title: `${prefix}-${binding}`,
      id: realId(id),
      hasMigrations: false,
    })),
    ...(environment.d1_databases ?? []).map(({ binding, database_name, database_id, migrations_dir }) => ({
      kind: /** @type {const} */ ('d1'),
      binding,
      title: database_name ?? `${prefix}-${binding}`,
      id: realId(database_id),
      hasMigrations: migrations_dir !== undefined,
    })),
  ];
}

/** @param {string | undefined} id */
function realId(id = '') {
  return id === '' || PLACEHOLDER.test(id.replaceAll('-', '')) ? null : id;
}

/**
 * Returns a configuration with a store's id filled in. Comments and layout stay unchanged.
 *
 * @param {string} text
 * @param {boolean} preview
 * @param {Store} store
 * @param {string} id
 */
export function withId(text, preview, store, id) {
  const config = parseConfig(text);
  const { environment } = environmentOf(config, preview);
  const ofStore = ({ binding = '' }) => binding === store.binding;
  for (const entry of (store.kind === 'kv' && environment.kv_namespaces) || [])
    if (ofStore(entry)) entry.id = id;
  for (const entry of (store.kind === 'd1' && environment.d1_databases) || [])
    if (ofStore(entry)) entry.database_id = id;
  return patch(text, config);
}

/**
 * Returns wrangler.toml without any store's id. If two versions agree in this, they differ only in ids.
 *
 * @param {string} text
 */
export function withoutIds(text) {
  return text.replaceAll(/^(\s*(?:database_)?id\s*=\s*)"[0-9a-f-]*"/gm, '$1""');
}
