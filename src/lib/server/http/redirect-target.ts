/** Where to go after signing in: the path in `redirectTo` if it is on this origin, otherwise the sessions page. */
export function redirectTarget(url: URL): string {
  const asked = url.searchParams.get('redirectTo') ?? '';
  return asked.startsWith('/') ? (localPath(asked, url.origin) ?? '/sessions') : '/sessions';
}

/**
 * Returns the path and query of a URL on this origin, or `null` for any other (open redirects, CWE-601). A path that begins with two
 * slashes is rejected: a browser would take what follows for a host. Parsing can produce one (`/..//evil.example`).
 */
export function localPath(address: string, origin: string): string | null {
  const target = URL.parse(address, origin);
  if (target?.origin !== origin || target.pathname.startsWith('//')) return null;
  return target.pathname + target.search;
}
