import { error, isHttpError, isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import { endedBy } from '$lib/words/session-end';
import { SessionEnded } from '../sessions/confirmed';
import { DeviceUnproven } from '../sessions/device-keys';
import { StoreUnavailable } from '../stores/guarded';
import { storeError } from './claims';
import { leaveNotice } from './flash';
import { refuseUnproven } from './unproven';

/** The parts of an event that a wrapper needs. */
export type GuardedEvent = Pick<
  RequestEvent,
  'request' | 'url' | 'cookies' | 'locals' | 'setHeaders' | 'isDataRequest'
>;

const QUERY_MAX_CHARACTERS = 1_000;

/**
 * Redirects to sign-in. If the request had a session cookie, that page says that KV does not show the session, or that it ended and, if D1
 * knows it, which device ended it.
 */
export async function toSignIn(event: GuardedEvent, comeBackTo?: string): Promise<never> {
  const { url, request, locals } = event;
  if (locals.facts.presented) {
    const ending = await locals.auth.current.ending();
    if (ending === 'unseen') leaveNotice(event, 'session-unseen');
    else leaveNotice(event, 'session-ended', ending ? { by: endedBy(ending), at: ending.at } : undefined);
  } else {
    leaveNotice(event, 'to-continue');
  }
  // The query of a POST names the action (`?/revoke`) and not a page to return to. A long query would make a Location header that clients
  // and proxies reject.
  const hasPage = request.method !== 'POST' && url.search.length <= QUERY_MAX_CHARACTERS;
  const target = comeBackTo ?? (hasPage ? url.pathname + url.search : url.pathname);
  redirect(303, `/login?redirectTo=${encodeURIComponent(target)}`);
}

/**
 * For pages that only guests see. A signed-in visitor is redirected to the sessions page, unless that page would refuse them or redirect
 * them back. While a store does not say who it is, anybody may sign in.
 */
export async function requireGuest({ locals: { auth } }: GuardedEvent): Promise<void> {
  const session = await auth.current.confirmOrNobody().catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return null;
    throw error;
  });
  if (session) redirect(303, '/sessions');
}

/**
 * Wraps a load, or an endpoint that responds like a page. An ended session redirects to sign-in and returns to `comeBackTo` afterwards. A
 * failed store becomes a 503 that names it, even if another layer wrapped the error.
 */
export function guarded<E extends GuardedEvent, R>(
  handler: (event: E) => Promise<R>,
  { comeBackTo }: { comeBackTo?: string } = {},
): (event: E) => Promise<R> {
  return async (event) => {
    try {
      return await handler(event);
    } catch (thrown) {
      if (thrown instanceof SessionEnded) return await toSignIn(event, comeBackTo);
      if (thrown instanceof DeviceUnproven) refuseUnproven(event, thrown);
      if (isRedirect(thrown) || isHttpError(thrown)) throw thrown;
      throw storeFailure(event) ?? thrown;
    }
  };
}

/**
 * The 503 for a store that failed in this request, or `null` if none failed. A store that is down signs nobody in. The page also says what
 * an action did earlier in the same request.
 */
export function storeFailure({ locals: { stores } }: Pick<RequestEvent, 'locals'>): unknown {
  const body = storeError(stores);
  if (!body) return null;
  try {
    error(503, body);
  } catch (httpError) {
    return httpError;
  }
}

/**
 * Clears what scripts have stored when the session ends (ASVS 14.3.1). "cookies" is left out because it would clear the response's own
 * cookies. "cache" is left out because pages are `no-store`, and because Chromium holds the response back while it walks a large cache (0.5
 * to 1 s with 6,000 to 25,000 entries).
 */
export function clearSiteData({ setHeaders }: Pick<RequestEvent, 'setHeaders'>): void {
  setHeaders({ 'clear-site-data': '"storage"' });
}
