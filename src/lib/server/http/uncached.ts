// headers.ts imports this file, so it is also bundled outside Vite: do not use $lib, $app or $env here.

/** What describes a body. A GET and a HEAD have none. */
const OF_A_BODY = ['content-length', 'transfer-encoding'];

/**
 * Makes a request pass the edge's cache by. Kit's adapter (7.2.9) first looks up every GET and HEAD there, unless it has
 * `Cache-Control: no-cache`. Every response that Kit makes here is `no-store`, so the lookup finds nothing, and each page would wait for
 * it. It also throws on a HEAD with `Content-Length: 0`, which some monitors send (sveltejs/kit#16607).
 *
 * A request with any other method stays as it came. It is not looked up, and if it were copied and nobody read its body, workerd could close
 * the connection before the response.
 */
export function uncached(request: Request): Request {
  if (!['GET', 'HEAD'].includes(request.method)) return request;
  const headers = new Headers(request.headers);
  headers.set('cache-control', 'no-cache');
  for (const name of OF_A_BODY) headers.delete(name);
  return new Request(request, { headers, body: null });
}
