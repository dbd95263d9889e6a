/** Where to go after signing in: a path on this origin, or the sessions page (ASVS 3.7.2, open redirects). */
export function redirectTarget(url: URL): string {
  const asked = url.searchParams.get('redirectTo');
  // Backslashes and control characters are dropped or turned into slashes by browsers: `/\evil.example` leaves the site.
  if (!asked || !/^\/(?!\/)[^\\\p{Cc}]*$/u.test(asked)) return '/sessions';
  const target = new URL(asked, url.origin);
  return target.origin === url.origin ? target.pathname + target.search : '/sessions';
}
