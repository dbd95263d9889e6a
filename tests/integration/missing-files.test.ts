import { env } from 'cloudflare:workers';
import { createExecutionContext } from 'cloudflare:test';
import { expect, it } from 'vitest';
import { withSecurityHeaders } from '$lib/server/http/headers';

/** Responds as Workers' static assets do: `_headers` also applies to a missing file. */
const worker = withSecurityHeaders({
  fetch: ({ url }) =>
    Promise.resolve(
      new Response('', {
        status: url.endsWith('/missing.js') ? 404 : 200,
        headers: {
          'X-Content-Type-Options': 'nosniff',
          'Cache-Control': 'public, immutable, max-age=31536000',
        },
      }),
    ),
});

it.each([
  ['/_app/immutable/missing.js', 404, 'no-store'],
  ['/_app/immutable/there.js', 200, 'public, immutable, max-age=31536000'],
])('a missing static file is never cached, an existing one is: %s', async (path, status, kept) => {
  const request = new Request(`https://sessions.example${path}`);
  const answer = await worker.fetch(request, env, createExecutionContext());
  expect(answer.status).toBe(status);
  expect(answer.headers.get('Cache-Control')).toBe(kept);
});
