// Part of headers.ts, and so bundled outside Vite as well: nothing of $lib, $app or $env in here.
import { isLoopback } from '../sessions/loopback';

/** Where one field ends and the next begins with a cookie's name (RFC 6265, 4.1.1). */
const SEAM = /, (?=[\w!#$%&'*+.^`|~-]+=)/g;

/**
 * HTTP/2 lets a browser send its cookies in several fields. Whoever ends the HTTP/2 connection joins them with "; " before anything else sees
 * them (RFC 9113, 8.2.3), as Cloudflare's edge does. Before a local worker nobody stands, and it joins them as any field, with ", ".
 * So they are told apart on loopback alone: elsewhere a comma belongs to a cookie's value, and one that a sibling domain set
 * (`x=1, __Host-session=…`) must not become a cookie that only this site can set.
 */
export function withOneCookieField(request: Request): Request {
  const sent = request.headers.get('cookie');
  if (!sent?.includes(', ') || !isLoopback(new URL(request.url))) return request;
  const headers = new Headers(request.headers);
  headers.set('cookie', sent.replace(SEAM, '; '));
  return new Request(request, { headers });
}
