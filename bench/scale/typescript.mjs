import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/**
 * Imports a TypeScript module of this folder together with what it imports of the app and its tests, as Vite resolves it.
 * @param {string} name
 * @returns {Promise<any>} its exports
 */
export async function importTypeScript(name) {
  const at = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));
  const { module } = await runnerImport(at(name), {
    configFile: false,
    logLevel: 'error',
    resolve: { alias: { $lib: at('../../src/lib') } },
  });
  return module;
}
