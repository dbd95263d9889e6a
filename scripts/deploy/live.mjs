import { setTimeout as delay } from 'node:timers/promises';
import { StepFailed } from '../lib/processes.mjs';

/** A new project's host name takes a while to resolve and to get its certificate. */
const READY_WITHIN_MILLISECONDS = 180_000;
const POLL_MILLISECONDS = 2_000;
const ANSWER_WITHIN_MILLISECONDS = 10_000;

/**
 * Resolves once /healthz of a deployment answers 200. What the app itself says is taken at its word at once; anything else (no
 * connection, Cloudflare's own error pages) is asked again for three minutes.
 * @param {string} url of the deployment
 */
export async function requireHealthy(url) {
  const address = new URL('/healthz', url);
  const deadline = Date.now() + READY_WITHIN_MILLISECONDS;
  for (;;) {
    const answer = await ask(address);
    if (answer.healthy) return;
    if (answer.final || Date.now() > deadline) {
      throw new StepFailed(
        `It is deployed, but ${address} says: ${answer.says}\n  What to do: ${answer.mend} Until then visitors get this; "Rollback" in docs/deploy.md puts the last deployment back.`,
      );
    }
    await delay(POLL_MILLISECONDS);
  }
}

/**
 * @param {URL} address
 * @returns {Promise<{ healthy: boolean, final: boolean, says: string, mend: string }>}
 */
async function ask(address) {
  try {
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS);
    const response = await fetch(address, { signal, redirect: 'manual' });
    const body = await response.text();
    const says = `${response.status} ${body.slice(0, 200).trim()}`;
    if (response.status === 200 && isOurs(body)) return { healthy: true, final: true, says, mend: '' };
    if (isOurs(body)) {
      return {
        healthy: false,
        final: true,
        says,
        mend: 'look at the store that is down on dash.cloudflare.com.',
      };
    }
    if (body.startsWith('[bindings]')) {
      return { healthy: false, final: true, says, mend: 'mend wrangler.toml as it says, and deploy again.' };
    }
    if (response.status >= 300 && response.status < 400) {
      return {
        healthy: false,
        final: true,
        says,
        mend: 'something before the app asks for a sign-in (Cloudflare Access?): let /healthz through.',
      };
    }
    return {
      healthy: false,
      final: false,
      says,
      mend: 'read its log with "npx wrangler pages deployment tail".',
    };
  } catch (error) {
    return {
      healthy: false,
      final: false,
      says: reasonOf(error),
      mend: 'a new host name can take some minutes: ask it again.',
    };
  }
}

/** @param {string} body */
function isOurs(body) {
  return body.startsWith('{"kv":');
}

/** @param {unknown} error */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `no answer (${error.cause.message})` : `no answer (${error.message})`;
}
