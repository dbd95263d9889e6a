import { randomBytes } from 'node:crypto';
import type { Cookies } from '@sveltejs/kit';
import { FORM_VISIT_MILLISECONDS } from '../policy';

type CookieEvent = { cookies: Pick<Cookies, 'get' | 'set'>; url: URL; request: Request };

const COOKIE = 'cookies-kept';
const KEPT_SECONDS = FORM_VISIT_MILLISECONDS / 1_000;
const VISIT_BYTES = 16;

/**
 * Sets a cookie with the sign-in or sign-up page, so that its form can tell whether this browser keeps cookies. The value is unique to this
 * page view: see `visitOf`.
 */
export function leaveCookie({ cookies, url }: CookieEvent): void {
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, randomBytes(VISIT_BYTES).toString('base64url'), {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure,
    maxAge: KEPT_SECONDS,
  });
}

/**
 * Identifies the page view a form was sent from, however often it is sent. `null`: not known. Use it only to tell forms of different
 * browsers apart.
 */
export function visitOf({ cookies }: Pick<CookieEvent, 'cookies'>): string | null {
  const visit = cookies.get(COOKIE) ?? '';
  return /^[A-Za-z0-9_-]{22}$/.test(visit) ? visit : null;
}

/**
 * Whether a form comes from a browser that keeps no cookies. Such a browser would not notice that it was signed in, and each try would
 * leave a session that nobody holds. All current browsers send `Sec-Fetch-Site`; a client without it (curl, a script) needs no cookie. A
 * page that was open longer than the cookie lives looks the same, so the cookie is set again and a second try works.
 */
export function keepsNoCookies(event: CookieEvent): boolean {
  const { headers } = event.request;
  if (headers.get('cookie') || !headers.has('sec-fetch-site')) return false;
  leaveCookie(event);
  return true;
}
