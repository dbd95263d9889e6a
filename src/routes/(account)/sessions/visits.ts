import type { Cookies } from '@sveltejs/kit';

const COOKIE = 'visits';
const KEPT_SECONDS = 90 * 24 * 60 * 60;
/** Loads that are no further apart are one visit: a page that is looked at again keeps its marks. */
const VISIT_GAP_MILLISECONDS = 30 * 60 * 1_000;

const FORM = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})\.(\d{1,15})$/;

/**
 * Notes a visit to the sessions page in a cookie of this browser and gives the time of the visit before, in epoch
 * milliseconds: what began after it is new to the visitor. On a first visit that is now, so that not everything is new.
 */
export function lastVisit(cookies: Pick<Cookies, 'get' | 'set'>, userId: string, secure: boolean): number {
  const now = Date.now();
  const [, owner, before, latest] = FORM.exec(cookies.get(COOKIE) ?? '') ?? [];
  const known = owner === userId;
  const sameVisit = known && now - Number(latest) < VISIT_GAP_MILLISECONDS;
  const previous = !known ? now : sameVisit ? Number(before) : Number(latest);
  cookies.set(COOKIE, `${userId}.${previous}.${now}`, {
    path: '/sessions',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: KEPT_SECONDS,
  });
  return previous;
}
