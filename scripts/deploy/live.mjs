import { setTimeout as delay } from 'node:timers/promises';
import { StepFailed } from '../lib/processes.mjs';

/** A new project's host name needs a while to resolve and to get its certificate. */
const READY_WITHIN_MILLISECONDS = 180_000;
const POLL_MILLISECONDS = 2_000;
const ANSWER_WITHIN_MILLISECONDS = 10_000;

/**
 * Resolves once /healthz of a deployment responds 200. A failure that the app itself reports counts at once. Anything else (no connection,
 * Cloudflare's own error pages) is retried for three minutes.
 *
 * @param {string} url of the deployment
 * @param {string} watch the command that shows its log
 */
export async function requireHealthy(url, watch) {
  const address = new URL('/healthz', url);
  const deadline = Date.now() + READY_WITHIN_MILLISECONDS;
  for (;;) {
    const { status, says } = await ask(address);
    const body = says.slice(`${status} `.length);
    const isOurs = body.startsWith('{"kv":');
    if (status === 200 && isOurs) return;
    const mend =
      (isOurs && 'look at the store that is down on dash.cloudflare.com.') ||
      (body.startsWith('[bindings]') && 'mend wrangler.toml as it says, and deploy again.') ||
      (status >= 300 &&
        status < 400 &&
        'something before the app asks for a sign-in (Cloudflare Access?): let /healthz through.');
    if (mend || Date.now() > deadline) {
      const wait = status
        ? `read its log with "${watch}".`
        : 'a new host name can take some minutes: ask it again.';
      throw new StepFailed(
        `It is deployed, but ${address} says: ${says}\n  What to do: ${mend || wait} Until then visitors get this; "Rollback" in docs/deploy.md puts the last deployment back.`,
      );
    }
    await delay(POLL_MILLISECONDS);
  }
}

/**
 * @param {URL} address
 * @returns {Promise<{ status: number, says: string }>} the status, 0 for no answer; `says`: with the beginning of the body, or why there is none
 */
async function ask(address) {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS);
    const response = await fetch(address, { signal, redirect: 'manual' });
    const text = await response.text();
    const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
    const body = (isProblem ? String(JSON.parse(text).detail) : text).slice(0, 200).trim();
    return { status: response.status, says: `${response.status} ${body}` };
  } catch (error) {
    const { message, cause } = Object(error);
    return { status: 0, says: `no answer (${cause?.message ?? message})` };
  }
}
