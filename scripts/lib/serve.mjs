import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { toolEnvironment } from './environment.mjs';
import { exitOf, startTool, StepFailed } from './processes.mjs';

const READY_WITHIN_MILLISECONDS = 120_000;
const ANSWER_WITHIN_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 100;

/**
 * Serves the built app with `wrangler pages dev` and resolves once /healthz answers 200.
 * Throws `StepFailed` when the server ends or does not get well in time.
 * @param {{ port: number, stateFolder: string, https?: boolean, layout?: string, showCost?: boolean }} options
 * `layout` and `showCost` override wrangler.toml's
 * @returns {Promise<{ address: string, ended: Promise<number> }>}
 */
export async function servePages({ port, stateFolder, https = false, layout, showCost }) {
  const args = ['pages', 'dev', '--port', String(port), '--persist-to', stateFolder];
  args.push('--log-level', 'error', '--show-interactive-dev-session=false');
  if (https) args.push('--local-protocol', 'https');
  if (layout) args.push('--binding', `SESSION_LAYOUT=${layout}`);
  if (showCost !== undefined) args.push('--binding', `SHOW_COST=${showCost ? 'on' : 'off'}`);

  const server = startTool('wrangler', args, {
    env: toolEnvironment(),
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = exitOf(server);
  const address = `${https ? 'https' : 'http'}://localhost:${port}`;
  await Promise.race([
    untilHealthy(address),
    ended.then((code) => {
      throw new StepFailed(`wrangler ended with code ${code} before the demo answered.`);
    }),
  ]);
  return { address, ended };
}

/** @param {string} address */
async function untilHealthy(address) {
  const deadline = Date.now() + READY_WITHIN_MILLISECONDS;
  for (;;) {
    const answer = await ask(`${address}/healthz`);
    if (answer === '200') return;
    if (Date.now() > deadline) {
      throw new StepFailed(`${address}/healthz still does not answer 200, but: ${answer}`);
    }
    await delay(POLL_MILLISECONDS);
  }
}

/**
 * @param {string} url
 * @returns {Promise<string>} the status, or why there is none
 */
function ask(url) {
  // The local certificate is wrangler's own, so nothing vouches for it; this asks the own machine only.
  const request = url.startsWith('https:')
    ? httpsRequest(url, { rejectUnauthorized: false })
    : httpRequest(url);
  return new Promise((resolve) => {
    request.setTimeout(ANSWER_WITHIN_MILLISECONDS, () => request.destroy(new Error('no answer')));
    request.on('error', (error) => resolve(error.message || 'no connection'));
    request.on('response', (response) => {
      response.resume();
      resolve(String(response.statusCode));
    });
    request.end();
  });
}
