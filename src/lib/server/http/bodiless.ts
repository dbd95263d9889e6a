// Part of headers.ts, and so bundled outside Vite as well: nothing of $lib, $app or $env in here.

/**
 * A request as Kit's worker can take it. Its adapter (7.2.9) looks every request up in the edge's cache as a GET, and the edge throws on a GET
 * that says `Content-Length: 0` (sveltejs/kit#16607), as the HEAD of some monitors does. So a HEAD is asked as the GET it stands for (RFC 9110, 9.3.2),
 * and neither of the two goes on with a body or its length.
 */
export function asGet(request: Request): Request {
  const { method, headers } = request;
  if (method !== 'HEAD' && !(method === 'GET' && headers.has('content-length'))) return request;
  const bodiless = new Headers(headers);
  bodiless.delete('content-length');
  bodiless.delete('transfer-encoding');
  return new Request(request, { method: 'GET', headers: bodiless, body: null });
}

/** What a HEAD is answered: status and headers of the GET's answer, without its body. */
export async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel();
  return new Response(null, response);
}
