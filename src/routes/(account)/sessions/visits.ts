import type { Cookies } from '@sveltejs/kit';

const COOKIE = 'visits';
const KEPT_SECONDS = 90 * 24 * 60 * 60;
/** Loads that are no further apart count as one visit, so that the marks stay when the page is loaded again. */
const VISIT_GAP_MILLISECONDS = 30 * 60 * 1_000;

const FORM = /^([A-Za-z0-9_-]{1,64})\.(\d{1,15})\.(\d{1,15})$/;

/**
 * Stores this visit to the sessions page in a cookie. Returns the time of the previous visit in epoch milliseconds; sessions that began
 * later are new to the visitor. On the first visit it returns the current time, so that not everything is marked as new.
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
