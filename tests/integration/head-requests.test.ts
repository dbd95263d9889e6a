import { env } from 'cloudflare:workers';
import { createExecutionContext } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { withSecurityHeaders } from '$lib/server/http/headers';

const PAGE = 'the page';

/**
 * Takes the place of Kit's worker and throws as its adapter does on the edge: on a HEAD, which it looks up in the cache as a GET, and on a
 * GET with a Content-Length.
 */
const worker = withSecurityHeaders({
  fetch(request) {
    const { method, headers, url, body } = request;
    if (method === 'HEAD' || headers.has('content-length') || body) throw new TypeError('cache.match');
    const { cf } = request as { cf?: { city?: string } };
    return Promise.resolve(
      new Response(url.endsWith('/missing') ? null : PAGE, {
        status: url.endsWith('/missing') ? 404 : 200,
        headers: {
          'content-type': 'text/html',
          'content-length': String(PAGE.length),
          'x-asked-by': headers.get('user-agent') ?? '',
          'x-city': cf?.city ?? '',
        },
      }),
    );
  },
});

async function answerTo(path: string, init: RequestInit): Promise<Response> {
  const request = new Request(`https://sessions.example${path}`, init);
  return worker.fetch(request, env, createExecutionContext());
}

it.each([
  ['with no length', {}],
  ['with Content-Length: 0, as a monitor sends it', { 'content-length': '0' }],
])('HEAD through the adapter %s gets what a GET gets, without the body', async (_, length) => {
  const cf = { city: 'Berlin' } as RequestInit['cf'];
  const answer = await answerTo('/', { method: 'HEAD', headers: { 'user-agent': 'Monitor', ...length }, cf });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe('');
  expect(answer.headers.get('content-type')).toBe('text/html');
  expect(answer.headers.get('content-length')).toBe(String(PAGE.length));
  expect(answer.headers.get('x-asked-by')).toBe('Monitor');
  expect(answer.headers.get('x-city')).toBe('Berlin');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

it('HEAD of a missing page is a 404', async () => {
  expect((await answerTo('/missing', { method: 'HEAD' })).status).toBe(404);
});

it('a GET with Content-Length: 0 gets through as well', async () => {
  const answer = await answerTo('/', { headers: { 'content-length': '0' } });
  expect(await answer.text()).toBe(PAGE);
});
