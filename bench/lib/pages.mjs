import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { modulesIn, withWorkerBundle } from '../../scripts/lib/worker-bundle.mjs';
import { ask } from './load.mjs';
import { startWorker } from './worker.mjs';

const USER = { username: 'alice', password: 'a long enough passphrase' };

/**
 * The built app, as it would be uploaded, with a user who is signed in.
 * @param {string} sql that makes its tables
 * @param {{ inspectorPort?: number }} [options]
 */
export async function startApp(sql, options = {}) {
  const { modules, sourceMap } = await withWorkerBundle(async (folder) => ({
    modules: await modulesIn(folder),
    sourceMap: await readFile(join(folder, '_worker.js.map'), 'utf8'),
  }));
  const worker = await startWorker(
    'app',
    modules.map(({ path, contents }) => ({
      type: path.endsWith('.wasm') ? 'CompiledWasm' : 'ESModule',
      path,
      contents: path.endsWith('.wasm') ? contents : contents.toString('utf8'),
    })),
    {
      sql,
      ...options,
      bindings: { SESSION_LAYOUT: 'owner', SHOW_COST: 'on', BREACH_CHECK: 'off' },
      serviceBindings: { ASSETS: () => new Response('Not found', { status: 404 }) },
    },
  );
  return { worker, sourceMap, cookie: await postForm(worker, '/signup') };
}

/**
 * Posts the user's name and password as the form does, and gives the session cookie of the answer.
 * @param {import('./worker.mjs').Worker} worker
 * @param {'/signup' | '/login'} path
 */
export async function postForm(worker, path) {
  const origin = worker.url.origin;
  const { status, headers, body } = await ask(worker.url, {
    method: 'POST',
    path,
    headers: {
      origin,
      accept: 'text/html',
      host: worker.url.host,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(USER).toString(),
  });
  const session = headers['set-cookie']?.find((line) => line.startsWith('session='));
  if (status !== 303 || !session)
    throw new Error(`[bench] ${path} answered ${status}: ${body.slice(0, 300)}`);
  return session.split(';', 1)[0] ?? '';
}
