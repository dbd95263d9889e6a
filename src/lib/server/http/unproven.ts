import { error, type RequestEvent } from '@sveltejs/kit';
import { unproven as words } from '$lib/words/unproven';
import { PROOF_RETRIES_MAX, PROOF_RETRIES_SECONDS } from '../policy';
import type { DeviceUnproven } from '../sessions/device-keys';

type UnprovenEvent = Pick<RequestEvent, 'request' | 'url' | 'cookies' | 'locals' | 'isDataRequest'>;

const RETRIES = '__Host-proof-retries';

/**
 * Throws the 403 for a session that is bound to its device, asked for without a proof. A browser does not get its proof ready for a link from
 * another site, so the page tries again by itself, twice in a minute at most, and then offers to sign in. What a page of ours asks for in the
 * background makes that page load anew, which is not counted here.
 */
export function refuseUnproven(event: UnprovenEvent, thrown: DeviceUnproven): never {
  const { request, url, cookies, locals, isDataRequest } = event;
  const retries = Number(cookies.get(RETRIES)) || 0;
  const isPage = ['GET', 'HEAD'].includes(request.method);
  locals.auth.deviceKeys?.refuse(thrown, retries === 0 && mayComeWithoutProof(request));
  if (isPage && (isDataRequest || retries < PROOF_RETRIES_MAX)) {
    if (!isDataRequest) countRetry(cookies, retries + 1);
    error(403, { message: words.message, claim: { ...words.retry, next: null }, retry: true });
  }
  const comeBackTo = url.pathname + (isPage ? url.search : '');
  const next = { href: `/login?redirectTo=${encodeURIComponent(comeBackTo)}`, label: words.signIn };
  error(403, { message: words.message, claim: { ...words.over, next } });
}

function countRetry(cookies: RequestEvent['cookies'], retries: number): void {
  cookies.set(RETRIES, String(retries), {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: true,
    maxAge: PROOF_RETRIES_SECONDS,
  });
}

/** For a link from another site, and a browser that says that it could not refresh: that happens to the session's own. */
export function mayComeWithoutProof({ headers }: Request): boolean {
  return headers.get('sec-fetch-site') === 'cross-site' || headers.has('secure-session-skipped');
}
