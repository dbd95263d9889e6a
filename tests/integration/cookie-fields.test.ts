import { env } from 'cloudflare:workers';
import { createExecutionContext } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { withSecurityHeaders } from '$lib/server/http/headers';

const worker = withSecurityHeaders({
  fetch: async (request) =>
    Response.json([request.headers.get('cookie'), request.method, await request.text()]),
});

/** Returns the Cookie header, method and body that reach Kit, for a request with these fields. */
async function reaching(url: string, fields: string[], init: RequestInit = {}): Promise<unknown> {
  const headers = new Headers(fields.map((field): [string, string] => ['cookie', field]));
  const answer = await worker.fetch(new Request(url, { ...init, headers }), env, createExecutionContext());
  return answer.json();
}

describe('the Cookie header in two fields', () => {
  it.each(['http://localhost:8788/', 'https://127.0.0.1:8788/sessions'])(
    'a Cookie header in two fields is read as one by a local worker: %s',
    async (url) => {
      expect(await reaching(url, ['theme=dark', 'pages-session=abc.def; visits=1'])).toEqual([
        'theme=dark; pages-session=abc.def; visits=1',
        'GET',
        '',
      ]);
      expect(await reaching(url, ['a=1', 'b=2', 'c=3'], { method: 'POST', body: 'x=y' })).toEqual([
        'a=1; b=2; c=3',
        'POST',
        'x=y',
      ]);
    },
  );

  it('a comma in a cookie’s value is kept', async () => {
    const one = 'a=1,2, 3; b="x, y"';
    expect(await reaching('http://localhost:8788/', [one])).toEqual([one, 'GET', '']);
  });

  it('a value that another domain set cannot pose as a __Host- cookie', async () => {
    const planted = 'x=1, __Host-session=abc.def';
    expect(await reaching('https://sessions.example/', [planted])).toEqual([planted, 'GET', '']);
  });
});
