// headers.ts imports this file, so it is also bundled outside Vite: do not use $lib, $app or $env here.

/**
 * Turns a request into one that SvelteKit's worker can handle. Kit's adapter (7.2.9) looks every request up in the edge's cache as a GET,
 * and the edge throws on a GET with `Content-Length: 0` (sveltejs/kit#16607). Some monitors send such a HEAD. So a HEAD is passed on as the
 * corresponding GET (RFC 9110, 9.3.2), and HEAD and GET are passed on without a body or its length.
 */
export function asGet(request: Request): Request {
  const { method, headers } = request;
  if (method !== 'HEAD' && !(method === 'GET' && headers.has('content-length'))) return request;
  const bodiless = new Headers(headers);
  bodiless.delete('content-length');
  bodiless.delete('transfer-encoding');
  return new Request(request, { method: 'GET', headers: bodiless, body: null });
}

/** The response to a HEAD: status and headers of the GET's response, without its body. */
export async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, response);
}
