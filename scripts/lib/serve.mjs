import { get as getByHttp } from 'node:http';
import { get as getByHttps } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { exitOf, startTool, StepFailed } from './processes.mjs';

const READY_WITHIN_MILLISECONDS = 120_000;
const POLL_MILLISECONDS = 100;

/**
 * @typedef {object} Options
 * @property {number} port
 * @property {string} stateFolder
 * @property {boolean} [https]
 * @property {boolean} [workers] as a Worker, not as Pages
 * @property {number} [inspectorPort] servers that start at once would take the same one
 * @property {Record<string, string>} [vars] override those of the configuration
 */

/**
 * Serves the built app with `wrangler pages dev` or, as a Worker, with `wrangler dev`.
 *
 * @param {Options} options
 */
export function startServer({ port, inspectorPort, stateFolder, https = false, workers = false, vars = {} }) {
  const args = workers ? ['dev', '--config', 'wrangler.workers.toml', '--env', ''] : ['pages', 'dev'];
  args.push('--port', String(port), '--persist-to', stateFolder);
  args.push('--log-level', 'error', '--show-interactive-dev-session=false');
  if (inspectorPort) args.push('--inspector-port', String(inspectorPort));
  if (https) args.push('--local-protocol', 'https');
  for (const [name, value] of Object.entries(vars)) {
    args.push(...(workers ? ['--var', `${name}:${value}`] : ['--binding', `${name}=${value}`]));
  }
  return startTool('wrangler', args);
}

/**
 * Like `startServer`, but resolves once /healthz responds 200. Throws `StepFailed` if the server ends first, or is not healthy in time.
 *
 * @param {Options} options
 * @returns {Promise<{ address: string, ended: Promise<number> }>}
 */
export async function serve(options) {
  const address = `${options.https ? 'https' : 'http'}://localhost:${options.port}`;
  const ended = exitOf(startServer(options));
  const died = ended.then((code) => {
    throw new StepFailed(`wrangler ended with code ${code} before the demo answered.`);
  });
  const deadline = Date.now() + READY_WITHIN_MILLISECONDS;
  for (let status = ''; status !== '200'; await delay(POLL_MILLISECONDS)) {
    if (Date.now() > deadline) throw new StepFailed(`${address}/healthz does not answer 200, but: ${status}`);
    status = await Promise.race([statusOf(`${address}/healthz`), died]);
  }
  return { address, ended };
}

/**
 * @param {string} url
 * @returns {Promise<string>} the status, or why there is none
 */
function statusOf(url) {
  // The local certificate is wrangler's own, so nothing vouches for it. This request goes only to this machine.
  const options = { rejectUnauthorized: false, timeout: 5_000 };
  return new Promise((resolve) => {
    const request = (url.startsWith('https:') ? getByHttps : getByHttp)(url, options, (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error) => resolve(error.message || 'no connection'));
  });
}
