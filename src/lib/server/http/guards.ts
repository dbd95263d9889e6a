import { error, isHttpError, isRedirect, redirect, type RequestEvent } from '@sveltejs/kit';
import { endedBy } from '$lib/words/session-end';
import { SessionEnded } from '../sessions/confirmed';
import { DeviceUnproven } from '../sessions/device-keys';
import { storeError } from './claims';
import { leaveNotice } from './flash';
import { refuseUnproven } from './unproven';

/** What a wrapper needs of an event. */
export type GuardedEvent = Pick<
  RequestEvent,
  'request' | 'url' | 'cookies' | 'locals' | 'setHeaders' | 'isDataRequest'
>;

const QUERY_MAX_CHARACTERS = 1_000;

/** Redirects to sign-in. If the request had a session cookie, that page says the session ended, and by which device where D1 knows. */
export async function toSignIn(event: GuardedEvent, comeBackTo?: string): Promise<never> {
  const { url, request, locals } = event;
  if (locals.facts.presented) {
    const ending = await locals.auth.current.ending();
    leaveNotice(event, 'session-ended', ending ? { by: endedBy(ending), at: ending.at } : undefined);
  } else {
    leaveNotice(event, 'to-continue');
  }
  // The query of a POST names the action (`?/revoke`); there is no page to come back to under it. A long one would make
  // a Location header that clients and proxies refuse.
  const hasPage = request.method === 'GET' && url.search.length <= QUERY_MAX_CHARACTERS;
  const target = comeBackTo ?? (hasPage ? url.pathname + url.search : url.pathname);
  redirect(303, `/login?redirectTo=${encodeURIComponent(target)}`);
}

/** Pages for people who are not signed in: everybody else goes to their sessions, as long as these would not send them back or refuse them. */
export async function requireGuest({ locals: { auth } }: GuardedEvent): Promise<void> {
  if (await auth.current.confirmOrNobody()) redirect(303, '/sessions');
}

/**
 * Wraps a load, or an endpoint that answers as a page does: an ended session leads to the sign-in page and comes back to `comeBackTo`
 * afterwards; a store that failed is a 503 that names it, whatever became of the error on its way up.
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
 * The 503 for a store that failed in this request; `null` when none did. Nobody is signed in by a store that is down. What an action did
 * earlier in the same request is said by the page behind it as well.
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
 * What scripts have kept goes with the session (ASVS 14.3.1). Not "cookies": it would take the answer's own with it. Nor "cache": pages are
 * `no-store`, and Chromium holds the answer back until it has gone through a large cache (0.5 to 1 s with 6,000 to 25,000 entries).
 */
export function clearSiteData({ setHeaders }: Pick<RequestEvent, 'setHeaders'>): void {
  setHeaders({ 'clear-site-data': '"storage"' });
}
