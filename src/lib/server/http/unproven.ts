import { error, type RequestEvent } from '@sveltejs/kit';
import { unproven as words } from '$lib/words/unproven';
import { PROOF_RETRIES_MAX, PROOF_RETRIES_SECONDS } from '../policy';
import type { DeviceUnproven } from '../sessions/device-keys';

type UnprovenEvent = Pick<RequestEvent, 'request' | 'url' | 'cookies' | 'locals' | 'isDataRequest'>;

const RETRIES = '__Host-proof-retries';

/**
 * Throws the 403 for a request without proof of the device that its session is bound to. A browser does not prepare the proof for a link
 * from another site, so the page reloads by itself, at most twice a minute, and then offers to sign in. A background request of one of our
 * pages makes that page reload, which is not counted here.
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

/** For a link from another site, or a browser that says it could not refresh. Both happen to the session's own browser. */
export function mayComeWithoutProof({ headers }: Request): boolean {
  return headers.get('sec-fetch-site') === 'cross-site' || headers.has('secure-session-skipped');
}
