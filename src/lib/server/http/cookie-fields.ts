// headers.ts imports this file, so it is also bundled outside Vite: do not use $lib, $app or $env here.
import { isLoopback } from '../sessions/loopback';

/** Where one field ends and the next one begins with a cookie's name (RFC 6265, 4.1.1). */
const SEAM = /, (?=[\w!#$%&'*+.^`|~-]+=)/g;

/**
 * Over HTTP/2 a browser may send its cookies in several fields. The server that terminates HTTP/2 must join them with "; " before anything
 * else sees them (RFC 9113, 8.2.3), and Cloudflare's edge does. A local worker has no such server in front of it and joins them with ", "
 * like any other field. So this splits them on loopback only. Elsewhere a comma is part of a cookie's value: a cookie from a sibling domain
 * (`x=1, __Host-session=…`) must not turn into one that only this site can set.
 */
export function withOneCookieField(request: Request): Request {
  const sent = request.headers.get('cookie');
  if (!sent?.includes(', ') || !isLoopback(new URL(request.url))) return request;
  const headers = new Headers(request.headers);
  headers.set('cookie', sent.replace(SEAM, '; '));
  return new Request(request, { headers });
}
