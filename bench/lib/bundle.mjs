import { readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { basename, join } from 'node:path';
import { ROOT } from '../../scripts/lib/processes.mjs';
// From bench/node_modules, which may not be there when the linter runs.
import { build } from 'esbuild';

/** @typedef {{ type: 'ESModule' | 'CompiledWasm' | 'Text' | 'Data', path: string, contents: string | Uint8Array }} Module as Miniflare takes them, the main one first */

/**
 * Bundles a worker for production: one script, and its wasm beside it.
 * @param {string} entry file below the project's root
 * @param {import('esbuild').Plugin[]} [plugins] run before the bundle's own
 * @returns {Promise<Module[]>}
 */
export async function bundle(entry, plugins = []) {
  /** @type {Map<string, string>} */
  const wasm = new Map();
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: 'worker.js',
    write: false,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['module', 'main'],
    define: { 'process.env.NODE_ENV': '"production"' },
    alias: { $lib: join(ROOT, 'src/lib') },
    tsconfigRaw: {},
    logLevel: 'error',
    plugins: [...plugins, wasmModules(wasm), nodeModules],
  });
  const script = /** @type {Module} */ ({
    type: 'ESModule',
    path: 'worker.js',
    contents: outputFiles[0]?.text ?? '',
  });
  const others = [...wasm].map(async ([path, file]) => {
    return /** @type {Module} */ ({ type: 'CompiledWasm', path, contents: await readFile(file) });
  });
  return [script, ...(await Promise.all(others))];
}

/**
 * Workers take wasm as a module of its own.
 * @param {Map<string, string>} found module path → file
 * @returns {import('esbuild').Plugin}
 */
function wasmModules(found) {
  return {
    name: 'wasm-modules',
    setup({ onResolve }) {
      onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, resolveDir }) => {
        const name = basename(path).replace('?module', '');
        found.set(name, join(resolveDir, path.replace('?module', '')));
        return { path: `./${name}`, external: true };
      });
    },
  };
}

/** What `nodejs_compat` gives, by whichever name it is asked for. @type {import('esbuild').Plugin} */
const nodeModules = {
  name: 'node-modules',
  setup({ onResolve }) {
    onResolve({ filter: /^(node|cloudflare):/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: new RegExp(`^(${builtinModules.join('|')})$`) }, ({ path, kind }) =>
      kind === 'require-call' ? undefined : { path: `node:${path}`, external: true },
    );
  },
};
