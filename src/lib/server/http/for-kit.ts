// headers.ts imports this file, so it is also bundled outside Vite: do not use $lib, $app or $env here.
import { joinCookieFields } from './cookie-fields';

/**
 * Returns a request in the form in which Kit's worker should get it.
 *
 * Kit's adapter (7.2.9) first looks up every request in the edge's cache, unless it has `Cache-Control: no-cache`. Every response of this app
 * is `no-store`, so the lookup finds nothing, and each page would wait for it. It also throws on a HEAD with `Content-Length: 0`, which some
 * monitors send (sveltejs/kit#16607).
 */
export function forKit(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set('cache-control', 'no-cache');
  joinCookieFields(headers, request.url);
  return new Request(request, { headers });
}
