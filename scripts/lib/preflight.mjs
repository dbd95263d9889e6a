/** Finds what would keep the scripts from running, before anything starts. Needs only Node, of any version. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @typedef {{ text: string, mend: string }} Problem what is wrong, and what to do about it */

/** The first Node that runs TypeScript directly. The scripts import the app's TypeScript. */
const NODE_LEAST = [22, 18];

/**
 * @param {string} root the project's folder
 * @returns {Problem | null} why the tools of node_modules cannot be run
 */
export function packagesProblem(root) {
  if (!existsSync(join(root, 'node_modules'))) {
    return { text: 'The packages are not installed', mend: 'run "npm ci" first' };
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = NODE_LEAST;
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return {
    text: `The scripts run on Node ${process.versions.node}, not on the newer one that npm installs with the packages`,
    mend: 'start them by "npm run", after "npm rebuild node --ignore-scripts=false" if that does not help',
  };
}

const STORES = [
  { section: 'kv_namespaces', binding: 'SESSIONS', kind: 'KV namespace' },
  { section: 'd1_databases', binding: 'DB', kind: 'D1 database' },
];
/**
 * @param {string} root the project's folder, with its packages
 * @param {{ file: string, previews: boolean }} options `previews`: whether their bindings are looked at as well; on this machine those of
 * production serve
 * @returns {Promise<Problem[]>} what the app would miss in that configuration
 */
export async function configProblems(root, { file, previews }) {
  const { parse } = await import('@decimalturn/toml-patch');
  /** @type {any} */
  let config;
  try {
    config = parse(readFileSync(join(root, file), 'utf8'));
  } catch (error) {
    const reason = String(Object(error).message).replace(
      /^[^(]*\((\d+), \d+\):.*\n([^\n]+)$/s,
      'line $1: $2',
    );
    return [{ text: `${file} cannot be read (${reason})`, mend: `correct it, or "git checkout ${file}"` }];
  }
  const production = { of: 'production', path: '', settings: config };
  const preview = { of: 'preview', path: 'env.preview.', settings: config.env?.preview ?? {} };
  return [production, ...(previews ? [preview] : [])].flatMap(({ of, path, settings }) =>
    STORES.flatMap(({ section, binding, kind }) => {
      const entries = [settings[section] ?? []].flat();
      if (entries.some((entry) => entry.binding === binding)) return [];
      return [
        {
          text: `${file} has no ${kind} "${binding}" for ${of}`,
          mend: `add binding = "${binding}" under [[${path}${section}]]`,
        },
      ];
    }),
  );
}
