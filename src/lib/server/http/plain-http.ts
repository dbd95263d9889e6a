// Part of headers.ts, and so bundled outside Vite as well: nothing of $lib, $app or $env in here.
import { isLoopback } from '../sessions/loopback';
import { refuse } from './refuse';

/**
 * The answer to a request that came over plain http from another machine, or `null`. A password would cross the network in clear,
 * and the browser would drop the cookie (it is Secure). A page is led to https. Anything else is refused, and not led on: what it
 * carried has crossed already, and whoever sent it has to see that.
 * A proxy that ends TLS says so in `X-Forwarded-Proto`. A client that makes that up gets what it had without this.
 */
export function refusePlainHttp(request: Request): Response | null {
  const url = new URL(request.url);
  const isPlain = url.protocol === 'http:' && request.headers.get('X-Forwarded-Proto') !== 'https';
  if (!isPlain || isLoopback(url)) return null;
  url.protocol = 'https:';
  // Only 443 is sure to speak it.
  url.port = '';
  if (['GET', 'HEAD'].includes(request.method)) {
    return new Response(null, { status: 308, headers: { Location: url.href } });
  }
  const detail = `This came over plain http, where others can read it, so nothing was done. Use ${url.origin}, and change a password that you sent.`;
  return refuse(request, { status: 403, title: 'Not over plain http', detail });
}
