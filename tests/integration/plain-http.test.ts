import { env } from 'cloudflare:workers';
import { createExecutionContext } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { withSecurityHeaders } from '$lib/server/http/headers';

/** Takes the place of Kit's worker and records the requests that reach it. */
const reached: string[] = [];
const worker = withSecurityHeaders({
  async fetch(request) {
    reached.push(`${request.method} ${request.url} ${await request.text()}`);
    return new Response('the page');
  },
});

async function answerTo(url: string, init: RequestInit = {}): Promise<Response> {
  reached.length = 0;
  const request = new Request(url, { redirect: 'manual', ...init });
  return await worker.fetch(request, env, createExecutionContext());
}

const FORM = { method: 'POST', body: 'password=correct+horse' };

describe('plain http from another machine', () => {
  it.each([
    ['http://sessions.example/', 'https://sessions.example/'],
    [
      'http://sessions.example/login?redirectTo=%2F%2Fevil.example',
      'https://sessions.example/login?redirectTo=%2F%2Fevil.example',
    ],
    ['http://sessions.example:8080/_app/env.js', 'https://sessions.example/_app/env.js'],
    ['http://pages-sessions.pages.dev//evil.example/', 'https://pages-sessions.pages.dev//evil.example/'],
    ['http://192.168.1.5/', 'https://192.168.1.5/'],
    ['http://localhost.example/', 'https://localhost.example/'],
  ])('over plain http a page redirects to https and keeps its path: %s', async (from, to) => {
    for (const method of ['GET', 'HEAD']) {
      const answer = await answerTo(from, { method });
      expect([answer.status, answer.headers.get('location')]).toEqual([308, to]);
      // A cached redirect would stay in the browser even if the site's owner changed their mind.
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    }
    expect(reached).toEqual([]);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('over plain http nothing is accepted: %s', async (method) => {
    for (const path of ['/login', '/signup', '/account?/changePassword', '/api/sessions']) {
      const page = await answerTo(`http://sessions.example${path}`, {
        ...FORM,
        method,
        headers: { accept: 'text/html' },
      });
      expect(page.status).toBe(403);
      const isApi = path.startsWith('/api/');
      expect(page.headers.get('content-type')).toMatch(isApi ? 'application/problem+json' : 'text/html');
      expect(await page.text()).toContain('https://sessions.example');
      const problem = await answerTo(`http://sessions.example${path}`, {
        ...FORM,
        method,
        headers: { 'x-forwarded-proto': 'http' },
      });
      expect(problem.headers.get('content-type')).toBe('application/problem+json');
      expect(await problem.json()).toMatchObject({ status: 403, title: 'Not over plain http' });
      for (const answer of [page, problem]) {
        expect(answer.headers.get('set-cookie')).toBeNull();
        expect(answer.headers.get('location')).toBeNull();
      }
      expect(reached).toEqual([]);
    }
  });

  it('plain http behind a proxy that ends TLS is served by the app, because a header says so', async () => {
    const answer = await answerTo('http://sessions.example/login', {
      ...FORM,
      headers: { 'x-forwarded-proto': 'https' },
    });
    expect(await answer.text()).toBe('the page');
    expect(reached).toHaveLength(1);
  });
});

const SERVED = {
  loopback: [
    'http://localhost:8788/',
    'http://127.0.0.1:8788/',
    'http://[::1]:8788/',
    'http://app.localhost:8788/',
    'https://localhost:8788/',
    'https://127.0.0.1/',
    'https://[::1]/',
  ],
  https: ['https://sessions.example/', 'https://pages-sessions.pages.dev/', 'https://localhost.example/'],
};

describe('what is served', () => {
  it.each([...SERVED.loopback, ...SERVED.https])('a request is served by the app: %s', async (url) => {
    for (const init of [{}, FORM]) {
      expect(await (await answerTo(url, init)).text()).toBe('the page');
      expect(reached).toHaveLength(1);
    }
  });
});

describe('Strict-Transport-Security', () => {
  it.each(SERVED.https)('Strict-Transport-Security is sent on %s', async (url) => {
    const { headers } = await answerTo(url);
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  });

  it.each([...SERVED.loopback, 'http://sessions.example/'])(
    'Strict-Transport-Security is not sent on %s',
    async (url) => {
      expect((await answerTo(url)).headers.get('strict-transport-security')).toBeNull();
    },
  );
});
