import type { Cookies } from '@sveltejs/kit';

type CookieEvent = { cookies: Pick<Cookies, 'set'>; url: URL; request: Request };

const COOKIE = 'cookies-kept';
const KEPT_SECONDS = 10 * 60;

/** Leaves a cookie with the page that signs people in, so that its form can tell whether this browser keeps any. */
export function leaveCookie({ cookies, url }: CookieEvent): void {
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, '1', { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: KEPT_SECONDS });
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
