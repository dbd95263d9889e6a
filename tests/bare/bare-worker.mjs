/**
 * The built app in a bare `workerd serve`, without Miniflare. Its stores run in another process (store-servers.mjs). Miniflare runs
 * everything in one process, which hides what goes wrong when a request waits on the I/O of another one.
 */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseConfig } from '../../scripts/deploy/config.mjs';
import { exitOf, ROOT, runQuietly, signalGroup, start, StepFailed } from '../../scripts/lib/processes.mjs';

const BUILD = '.svelte-kit/cloudflare';
const CONFIG = 'workerd.capnp';

/** The workerd that comes with Miniflare. */
const fromMiniflare = createRequire(import.meta.resolve('miniflare'));

/** @typedef {{ kvPort: number, d1Port: number, nothingPort: number }} StorePorts of startStores */

/**
 * Bundles the build into a folder as `wrangler pages deploy` would. `startBareWorker` takes that folder.
 * @param {string} folder
 */
export async function bundleWorker(folder) {
  const args = ['pages', 'functions', 'build', '--build-output-directory', BUILD, '--outdir', folder];
  await runQuietly('wrangler', args);
}

/**
 * Starts workerd and resolves once it listens.
 * @param {string} folder from `bundleWorker`; the worker's configuration is written there
 * @param {StorePorts} stores
 * @param {string[]} [v8Flags]
 */
export async function startBareWorker(folder, stores, v8Flags = []) {
  const file = join(folder, `${stores.kvPort}-${CONFIG}`);
  await writeFile(file, await configOf(folder, stores, v8Flags));
  const child = start(fromMiniflare('workerd').default, ['serve', '--experimental', '--control-fd=3', file], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr?.on('data', (chunk) => (errors += chunk));
  const ended = exitOf(child);
  const port = await Promise.race([listeningPort(child), ended.then(() => null)]);
  if (port === null) throw new StepFailed(`workerd ended before it listened: ${errors}`);
  return {
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid,
    /** The errors that it has printed so far. */
    errors: () => errors,
    async stop() {
      signalGroup(child, 'SIGKILL');
      await ended;
    },
  };
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number | null>}
 */
async function listeningPort({ stdio }) {
  const control = /** @type {import('node:stream').Readable} */ (stdio[3]);
  for await (const line of createInterface(control)) {
    const { event, port } = JSON.parse(line);
    if (event === 'listen') return port;
  }
  return null;
}

/**
 * @param {string} folder
 * @param {StorePorts} stores
 * @param {string[]} v8Flags
 */
async function configOf(folder, { kvPort, d1Port, nothingPort }, v8Flags) {
  const settings = parseConfig(await readFile(join(ROOT, 'wrangler.toml'), 'utf8'));
  const wasm = (await readdir(folder)).filter((name) => name.endsWith('.wasm'));
  const modules = [
    '(name = "_worker.js", esModule = embed "_worker.js")',
    ...wasm.map((name) => `(name = "${name}", wasm = embed "${name}")`),
  ];
  const vars = Object.entries({ ...settings.vars, COOKIE_SECRET: 'of no worth' }).map(
    ([name, value]) => `(name = "${name}", text = "${value}")`,
  );
  const store = (/** @type {number} */ port) => `external = (address = "127.0.0.1:${port}", http = ())`;
  const flags = [settings.compatibility_flags].flat().map((flag) => `"${flag}"`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = [${v8Flags.map((flag) => `"${flag}"`).join(', ')}],
  services = [
    (name = "app", worker = .app),
    (name = "kv", ${store(kvPort)}),
    (name = "d1", ${store(d1Port)}),
    (name = "nothing", ${store(nothingPort)}),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")],
);
const app :Workerd.Worker = (
  modules = [${modules.join(', ')}],
  compatibilityDate = "${settings.compatibility_date}",
  compatibilityFlags = [${flags.join(', ')}],
  cacheApiOutbound = "nothing",
  bindings = [
    (name = "SESSIONS", kvNamespace = "kv"),
    (name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "d1")])),
    (name = "ASSETS", service = "nothing"),
    ${vars.join(', ')},
  ],
);
`;
}
