import { randomBytes } from 'node:crypto';
import type { Cookies } from '@sveltejs/kit';
import { FORM_VISIT_MILLISECONDS } from '../policy';

type CookieEvent = { cookies: Pick<Cookies, 'get' | 'set'>; url: URL; request: Request };

const COOKIE = 'cookies-kept';
const KEPT_SECONDS = FORM_VISIT_MILLISECONDS / 1_000;
const VISIT_BYTES = 16;

/**
 * Leaves a cookie with the page that signs people in, so that its form can tell whether this browser keeps any. Its value is of this page alone:
 * see `visitOf`.
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

/** The page from which a form was sent, however often it was; `null`: not known. It tells one browser's form from another's, and nothing else. */
export function visitOf({ cookies }: Pick<CookieEvent, 'cookies'>): string | null {
  const visit = cookies.get(COOKIE) ?? '';
  return /^[A-Za-z0-9_-]{22}$/.test(visit) ? visit : null;
}

/**
 * Whether a form comes from a browser that keeps no cookies: it would be signed in and not know it, and each try would leave a session that nobody
 * has. Every browser of today says `Sec-Fetch-Site`; what does not (curl, a script) is not asked for a cookie. A page that was open for longer than
 * the cookie lives looks the same: so it is left anew, and a second try works.
 */
export function keepsNoCookies(event: CookieEvent): boolean {
  const { headers } = event.request;
  if (headers.get('cookie') || !headers.has('sec-fetch-site')) return false;
  leaveCookie(event);
  return true;
}
