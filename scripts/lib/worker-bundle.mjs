import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { runQuietly } from './processes.mjs';

const BUILD = '.svelte-kit/cloudflare';

/** Files next to the worker that are not uploaded. */
const NOT_MODULES = /\.map$/;

/**
 * Bundles the built app as `wrangler pages deploy` would upload it, with a source map, into a temporary folder that is deleted afterwards.
 *
 * @template T
 * @param {(folder: string) => Promise<T>} use what to do with the folder
 */
export async function withWorkerBundle(use) {
  const folder = await mkdtemp(join(tmpdir(), 'bundle-'));
  try {
    const where = ['--build-output-directory', BUILD, '--outdir', folder];
    await runQuietly('wrangler', ['pages', 'functions', 'build', ...where, '--sourcemap']);
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * The modules that would be uploaded, the script first.
 * @param {string} folder of `withWorkerBundle`
 * @returns {Promise<{ path: string, contents: Buffer }[]>}
 */
export async function modulesIn(folder) {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile() && !NOT_MODULES.test(file.name))
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).split(sep).join('/'))
    .sort((a, b) => Number(b.endsWith('.js')) - Number(a.endsWith('.js')));
  return Promise.all(paths.map(async (path) => ({ path, contents: await readFile(join(folder, path)) })));
}

/**
 * The size by which Cloudflare limits a worker, in bytes: all modules, compressed.
 * @param {{ contents: Buffer }[]} modules
 */
export async function compressedBytes(modules) {
  const compressed = await promisify(gzip)(Buffer.concat(modules.map(({ contents }) => contents)));
  return compressed.length;
}
