import { env } from 'cloudflare:workers';
import { createExecutionContext } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { withSecurityHeaders } from '$lib/server/http/headers';

const PAGE = 'the page';

/** Takes the place of Kit's worker, and throws when its adapter would look into the edge's cache, as some lookups do on the edge. */
const worker = withSecurityHeaders({
  async fetch(request) {
    const { method, headers, url } = request;
    const isLookedUp = method !== 'POST' && !headers.get('cache-control')?.includes('no-cache');
    if (isLookedUp) throw new TypeError('cache.match');
    const { cf } = request as { cf?: { city?: string } };
    return new Response(url.endsWith('/missing') ? null : PAGE, {
      status: url.endsWith('/missing') ? 404 : 200,
      headers: {
        'content-type': 'text/html',
        'x-asked-by': headers.get('user-agent') ?? '',
        'x-asked': method,
        'x-body': await request.text(),
        'x-city': cf?.city ?? '',
      },
    });
  },
});

async function answerTo(path: string, init: RequestInit): Promise<Response> {
  const request = new Request(`https://sessions.example${path}`, init);
  return worker.fetch(request, env, createExecutionContext());
}

it.each<[string, RequestInit]>([
  ['a GET', {}],
  ['a GET that wants the cache', { headers: { 'cache-control': 'max-age=0' } }],
  ['a GET with Content-Length: 0', { headers: { 'content-length': '0' } }],
  ['a HEAD', { method: 'HEAD' }],
  [
    'a HEAD with Content-Length: 0, as a monitor sends it',
    { method: 'HEAD', headers: { 'content-length': '0' } },
  ],
  ['a POST', { method: 'POST', body: 'a=1' }],
])('%s passes the edge’s cache by, and is otherwise as it came', async (_, init) => {
  const headers = { 'user-agent': 'Monitor', ...init.headers };
  const cf = { city: 'Berlin' } as RequestInit['cf'];
  const answer = await answerTo('/', { ...init, headers, cf });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe(init.method === 'HEAD' ? '' : PAGE);
  expect(answer.headers.get('x-asked')).toBe(init.method ?? 'GET');
  expect(answer.headers.get('x-body')).toBe(init.body ?? '');
  expect(answer.headers.get('x-asked-by')).toBe('Monitor');
  expect(answer.headers.get('x-city')).toBe('Berlin');
  expect(answer.headers.get('content-type')).toBe('text/html');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

it('HEAD of a missing page is a 404', async () => {
  expect((await answerTo('/missing', { method: 'HEAD' })).status).toBe(404);
});
