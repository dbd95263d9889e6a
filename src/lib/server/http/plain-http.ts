// headers.ts imports this file, so it is also bundled outside Vite: do not use $lib, $app or $env here.
import { isLoopback } from '../sessions/loopback';
import { refuse } from './refuse';

/**
 * Returns the response to a plain http request from another machine, or `null`. A password would cross the network in clear text, and the
 * browser would drop the Secure cookie. A GET or HEAD is redirected to https. Any other request is refused and not redirected: its content
 * has already crossed the network, and its sender must notice. A proxy that terminates TLS says so in `X-Forwarded-Proto`. A client that
 * forges this header only gets plain http as it asked for.
 */
export function refusePlainHttp(request: Request): Response | null {
  const url = new URL(request.url);
  const isPlain = url.protocol === 'http:' && request.headers.get('X-Forwarded-Proto') !== 'https';
  if (!isPlain || isLoopback(url)) return null;
  url.protocol = 'https:';
  // Only port 443 is certain to serve https.
  url.port = '';
  if (['GET', 'HEAD'].includes(request.method)) {
    return new Response(null, { status: 308, headers: { Location: url.href } });
  }
  const detail = `This came over plain http, where others can read it, so nothing was done. Use ${url.origin}, and change a password that you sent.`;
  return refuse(request, { status: 403, title: 'Not over plain http', detail });
}
