/** What this site refuses gets a response in the form that the sender can read, never bare text. */
import { describe, expect, it } from 'vitest';
import { inForm, refuse } from '$lib/server/http/refuse';
import { withSecurityHeaders } from '$lib/server/http/headers';
import errorPage from '../../src/error.html?raw';

const ORIGIN = 'https://sessions.example';
const DOCUMENT = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const ENHANCED = { accept: 'application/json', 'x-sveltekit-action': 'true' };

function request(path: string, headers: Record<string, string>, method = 'POST'): Request {
  return new Request(ORIGIN + path, { method, headers });
}

const STATUSES = [400, 403, 404, 405, 413, 429, 500, 503];

describe('a refusal', () => {
  it.each(STATUSES)('a refused document request gets a page: %i', async (status) => {
    const answer = refuse(request('/login', DOCUMENT), { status, detail: 'The <b>reason</b>.' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
    const html = await answer.text();
    expect(html).toContain(`Error ${status}`);
    expect(html).not.toContain('<b>');
    expect(html).toContain('The &#60;b&#62;reason');
  });

  it.each(STATUSES)('a form that scripts sent gets the refusal as the action’s JSON: %i', async (status) => {
    const answer = refuse(request('/login', ENHANCED), { status, detail: 'The reason.' });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/json']);
    // As Kit's `deserialize` reads it.
    expect(await answer.json()).toEqual({ type: 'error', error: { message: 'The reason.' } });
  });

  it.each([
    ['the API, whatever it asks for', '/api/sessions', DOCUMENT],
    ['the API', '/api/sessions', {}],
    ['a program', '/login', { accept: '*/*' }],
  ])('a refusal is problem+json for %s', async (_, path, headers) => {
    const answer = refuse(request(path, headers), { status: 403, title: 'No', detail: 'The reason.' });
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toEqual({
      type: 'about:blank',
      title: 'No',
      status: 403,
      detail: 'The reason.',
    });
  });

  it('a refusal looks like the static error page', async () => {
    const html = await refuse(request('/login', DOCUMENT), { status: 403 }).text();
    const head = (page: string) => /<head>[^]*<\/head>/.exec(page)?.[0].replace(/Error \S+/, '');
    expect(head(html)).toBe(head(errorPage));
  });
});

describe('an answer of bare text', () => {
  it('a refusal of bare text keeps its status, its headers and its cookies', async () => {
    const headers = new Headers({ allow: 'GET, HEAD', 'retry-after': '5' });
    headers.append('set-cookie', 'a=1');
    headers.append('set-cookie', 'b=2');
    const bare = new Response('POST method not allowed', { status: 405, headers });
    const answer = await inForm(request('/healthz', DOCUMENT), bare);
    expect([answer.status, answer.headers.get('allow'), answer.headers.get('retry-after')]).toEqual([
      405,
      'GET, HEAD',
      '5',
    ]);
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await answer.text()).toContain('This cannot be done here');
  });

  it('a response of bare text stays as it is if it is no refusal, or no bare text', async () => {
    for (const kept of [
      new Response('the page'),
      new Response('<html>', { status: 404, headers: { 'content-type': 'text/html' } }),
      Response.json({ type: 'error' }, { status: 503 }),
      new Response(null, { status: 304 }),
    ]) {
      expect(await inForm(request('/', DOCUMENT), kept)).toBe(kept);
    }
  });

  it('the API never responds with bare text, not even at an address that does not exist', async () => {
    const page = new Response('<html>', { status: 404, headers: { 'content-type': 'text/html' } });
    const answer = await inForm(request('/api/nothing', DOCUMENT, 'GET'), page);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
  });

  it('a refusal has its form even if Kit responds before any hook, and no body for HEAD', async () => {
    const worker = withSecurityHeaders({
      fetch: () => Promise.resolve(new Response('Malformed URI', { status: 400 })),
    });
    const page = await worker.fetch(request('/%ff', DOCUMENT, 'GET'), {}, {});
    expect(await page.text()).toContain('<h1>');
    expect(page.headers.get('content-security-policy')).toContain("style-src 'self'");
    const head = await worker.fetch(request('/%ff', DOCUMENT, 'HEAD'), {}, {});
    expect([head.status, await head.text()]).toEqual([400, '']);
  });
});
