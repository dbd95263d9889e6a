import { modulesIn, withWorkerBundle } from '../../scripts/lib/worker-bundle.mjs';
import { ask } from './measure.mjs';
import { startWorker } from './worker.mjs';

const USER = { username: 'alice', password: 'a long enough passphrase' };

/**
 * The built app, as it would be uploaded, with a user who is signed in.
 * @param {string} sql that makes its tables
 */
export async function startApp(sql) {
  const bundled = (await withWorkerBundle(modulesIn)).map(({ path, contents }) =>
    path.endsWith('.wasm')
      ? { type: /** @type {const} */ ('CompiledWasm'), path, contents }
      : { type: /** @type {const} */ ('ESModule'), path, contents: contents.toString('utf8') },
  );
  const worker = await startWorker('app', bundled, {
    sql,
    bindings: {
      SESSION_LAYOUT: 'owner',
      SHOW_COST: 'on',
      BREACH_CHECK: 'off',
      DEVICE_BINDING: 'on',
      RACE: 'on',
      SOURCE_URL: '',
      COOKIE_SECRET: 'bench '.repeat(8),
    },
    serviceBindings: { ASSETS: () => new Response('Not found', { status: 404 }) },
  });
  const { status, headers, body } = await ask(worker.url, {
    method: 'POST',
    path: '/signup',
    headers: {
      origin: worker.url.origin,
      accept: 'text/html',
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(USER).toString(),
  });
  const set = (headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0] ?? '');
  // A confirmation of now would be old before it is used.
  const cookies = set.filter((cookie) => !cookie.startsWith('confirmation=')).join('; ');
  if (status !== 303 || !cookies.includes('session='))
    throw new Error(`[bench] /signup answered ${status}: ${body.slice(0, 300)}`);
  return { worker, seeded: { '/': cookies, '/sessions': cookies } };
}
