/** Where to go after signing in: the path that `redirectTo` names on this origin, or the sessions page. */
export function redirectTarget(url: URL): string {
  const asked = url.searchParams.get('redirectTo') ?? '';
  return asked.startsWith('/') ? (localPath(asked, url.origin) ?? '/sessions') : '/sessions';
}

/**
 * The path and query of an address, if it is on this origin; `null` for every other (open redirects, CWE-601).
 * A path that begins with two slashes is none: a browser takes what follows for a host, and parsing can
 * produce one (`/..//evil.example`).
 */
export function localPath(address: string, origin: string): string | null {
  const target = URL.parse(address, origin);
  if (target?.origin !== origin || target.pathname.startsWith('//')) return null;
  return target.pathname + target.search;
}
