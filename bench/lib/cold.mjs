import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import workerd from 'workerd';
import { bundle } from './bundle.mjs';
import { ask } from './load.mjs';
import { COMPATIBILITY } from './worker.mjs';

/** CommonJS with a default export: what Node imports is the module. */
const WORKERD = workerd.default;
const TOKEN = 'A'.repeat(43);
const FAR = 4_000_000_000_000;
/** Workers' cache, which Kit's adapter asks first: 504 is its way to say that there is nothing. */
const EMPTY_CACHE = 'export default { fetch: () => new Response(null, { status: 504 }) }';
const GIVE_UP_MILLISECONDS = 10_000;

let leftOut = 0;

/** The same app with nothing of Prisma in it. @type {import('esbuild').Plugin} */
const withoutPrisma = {
  name: 'without-prisma',
  setup({ onLoad }) {
    onLoad({ filter: /chunks\/prisma\.js$/ }, () => {
      leftOut += 1;
      return { contents: 'export {}' };
    });
  },
};

/**
 * From the start of a bare workerd to its first answer, a start page that greets who is signed in.
 * The two builds in turn.
 * @param {number} rounds
 * @returns {Promise<{ app: number[], bare: number[] }>} milliseconds of the app, and of the same without Prisma
 */
export async function coldStarts(rounds) {
  const folder = await mkdtemp(join(tmpdir(), 'cold-'));
  try {
    const app = await writeConfig(join(folder, 'app'), await bundle('bench/workers/cold.ts'));
    const bare = await writeConfig(
      join(folder, 'bare'),
      await bundle('bench/workers/cold.ts', [withoutPrisma]),
    );
    if (leftOut !== 1) throw new Error(`[bench] ${leftOut} modules were left out as Prisma's, not one`);
    /** @type {{ app: number[], bare: number[] }} */
    const times = { app: [], bare: [] };
    for (let round = 0; round <= rounds; round += 1) {
      const first = await startOnce(app);
      const second = await startOnce(bare);
      // The first time the files come from the disk.
      if (round === 0) continue;
      times.app.push(first);
      times.bare.push(second);
    }
    return times;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * @param {string} prefix of the files' paths
 * @param {import('./bundle.mjs').Module[]} modules
 * @returns {Promise<{ config: string, port: number }>}
 */
async function writeConfig(prefix, modules) {
  const port = await freePort();
  const entries = await Promise.all(
    modules.map(async ({ type, path, contents }) => {
      await writeFile(`${prefix}-${path}`, contents);
      const kind = type === 'CompiledWasm' ? 'wasm' : 'esModule';
      return `(name = "${path}", ${kind} = embed "${basename(prefix)}-${path}")`;
    }),
  );
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [${entries.join(', ')}],
    bindings = [(name = "RECORD", text = ${JSON.stringify(JSON.stringify(record()))})],
    compatibilityDate = "${COMPATIBILITY.compatibilityDate}",
    compatibilityFlags = [${COMPATIBILITY.compatibilityFlags.map((flag) => `"${flag}"`).join(', ')}],
    cacheApiOutbound = "cache",
  )), (name = "cache", worker = (
    modules = [(name = "cache", esModule = ${JSON.stringify(EMPTY_CACHE)})],
    compatibilityDate = "${COMPATIBILITY.compatibilityDate}",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
`;
  await writeFile(`${prefix}.capnp`, config);
  return { config: `${prefix}.capnp`, port };
}

function record() {
  return {
    id: `alice.${createHash('sha256').update(TOKEN).digest('base64url')}`,
    user_id: 'alice',
    active_expires: FAR,
    idle_expires: FAR,
    username: 'alice',
    created_at: Date.now(),
    proved_at: Date.now(),
    epoch: 0,
    device: { browser: null, system: null, kind: 'unknown' },
    place: { country: null, city: null },
  };
}

/** @param {{ config: string, port: number }} worker */
async function startOnce({ config, port }) {
  const startedAt = performance.now();
  const child = spawn(WORKERD, ['serve', config], { stdio: ['ignore', 'inherit', 'inherit'] });
  const exit = new Promise((resolve) => child.once('exit', resolve));
  try {
    const { status, body } = await firstAnswer(new URL(`http://127.0.0.1:${port}`), startedAt);
    const time = performance.now() - startedAt;
    if (status !== 200 || !body.includes('alice'))
      throw new Error(`[bench] cold start answered ${status}: ${body.slice(0, 300)}`);
    return time;
  } finally {
    child.kill('SIGKILL');
    await exit;
  }
}

/** @param {URL} url @param {number} startedAt @returns {ReturnType<typeof ask>} */
async function firstAnswer(url, startedAt) {
  const headers = { host: url.host, cookie: `session=alice.${TOKEN}`, connection: 'close' };
  for (;;) {
    try {
      return await ask(url, { path: '/', headers });
    } catch (error) {
      if (performance.now() - startedAt > GIVE_UP_MILLISECONDS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
