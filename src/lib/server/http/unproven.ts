import { error, type RequestEvent } from '@sveltejs/kit';
import { answers } from '$lib/words/error';
import { PROOF_RETRIES_MAX, PROOF_RETRIES_SECONDS } from '../policy';
import type { DeviceUnproven } from '../sessions/device-keys';

type UnprovenEvent = Pick<RequestEvent, 'request' | 'cookies' | 'locals' | 'isDataRequest'>;

const RETRIES = '__Host-proof-retries';

/**
 * Throws the 403 for a session that is bound to its device, asked for without a proof. A browser does not get its proof ready for a link from
 * another site, so the page tries again by itself, twice in a minute at most, and then offers to sign in. What a page of ours asks for in the
 * background makes the page load anew, which is not counted.
 */
export function refuseUnproven(
  { request, cookies, locals, isDataRequest }: UnprovenEvent,
  unproven: DeviceUnproven,
): never {
  const retries = Number(cookies.get(RETRIES) ?? 0) || 0;
  const isPage = ['GET', 'HEAD'].includes(request.method);
  const mayRetry = isPage && (isDataRequest || retries < PROOF_RETRIES_MAX);
  locals.auth.deviceKeys?.refuse(unproven, retries === 0 && mayComeWithoutProof(request));
  if (mayRetry && !isDataRequest) {
    const options = { path: '/', httpOnly: true, sameSite: 'lax', secure: true } as const;
    cookies.set(RETRIES, String(retries + 1), { ...options, maxAge: PROOF_RETRIES_SECONDS });
  }
  error(403, { message: answers.unproven, unproven: mayRetry ? 'retry' : 'sign-in' });
}

/** A link from another site, or a browser that says that it could not refresh: that happens to the session's own. */
function mayComeWithoutProof({ headers }: Request): boolean {
  return headers.get('sec-fetch-site') === 'cross-site' || headers.has('secure-session-skipped');
}
