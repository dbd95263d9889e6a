import { get as getByHttp } from 'node:http';
import { get as getByHttps } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { exitOf, startTool, StepFailed } from './processes.mjs';

const READY_WITHIN_MILLISECONDS = 120_000;
const POLL_MILLISECONDS = 100;

/** @typedef {{ port: number, stateFolder: string, https?: boolean, vars?: Record<string, string> }} Options `vars` override wrangler.toml's */

/**
 * Serves the built app with `wrangler pages dev`.
 * @param {Options} options
 */
export function startPages({ port, stateFolder, https = false, vars = {} }) {
  const args = ['pages', 'dev', '--port', String(port), '--persist-to', stateFolder];
  args.push('--log-level', 'error', '--show-interactive-dev-session=false');
  if (https) args.push('--local-protocol', 'https');
  for (const [name, value] of Object.entries(vars)) args.push('--binding', `${name}=${value}`);
  return startTool('wrangler', args);
}

/**
 * As `startPages`, and resolves once /healthz answers 200. Throws `StepFailed` when the server ends before, or does not get well in time.
 * @param {Options} options
 * @returns {Promise<{ address: string, ended: Promise<number> }>}
 */
export async function servePages(options) {
  const address = `${options.https ? 'https' : 'http'}://localhost:${options.port}`;
  const ended = exitOf(startPages(options));
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
  // The local certificate is wrangler's own, so nothing vouches for it; this asks the own machine only.
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
