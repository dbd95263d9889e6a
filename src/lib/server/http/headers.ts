// The upload also bundles this file outside Vite (svelte.config.js), so neither it nor anything it imports may use $lib, $app or $env.
import type { RequestEvent } from '@sveltejs/kit';
import { isLoopback } from '../sessions/loopback';
import { withOneCookieField } from './cookie-fields';
import { refusePlainHttp } from './plain-http';
import { inForm } from './refuse';
import { uncached } from './uncached';

const HSTS_MAX_AGE_SECONDS = 365 * 24 * 60 * 60;
const HSTS = `max-age=${HSTS_MAX_AGE_SECONDS}; includeSubDomains`;
const RETRY_AFTER_SECONDS = 5;

/** What a JSON response, a redirect or an error without a page may load: nothing. Pages have Kit's policy (svelte.config.js). */
const NOTHING_TO_LOAD = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** src/error.html is the only page without a policy from Kit. */
const ERROR_PAGE = `${NOTHING_TO_LOAD}; style-src 'self'; img-src 'self'`;

/** The headers of every response (ASVS 3.4). Files that Pages serves without the Worker get theirs from the file `_headers`. */
const ON_EVERY_ANSWER = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // Pages show who is signed in, so no cache may keep them (ASVS 14.3.2).
  'Cache-Control': 'no-store',
};

/** Sets the headers of the responses that pass through the hook. */
export function setSecurityHeaders({ locals, url }: RequestEvent, { status, headers }: Response): void {
  setOnEveryAnswer(headers, url);
  if (locals.stores && locals.showCost) headers.set('Server-Timing', locals.stores.meter.serverTiming());
  if (status === 503) headers.set('Retry-After', String(RETRY_AFTER_SECONDS));
}

type Worker = { fetch(request: Request, env: unknown, ctx: unknown): Promise<Response> };

/**
 * Wraps a worker so that every response has the headers, even those that Kit sends before any hook runs (svelte.config.js). It also refuses
 * plain http from another machine.
 */
export function withSecurityHeaders(worker: Worker): Worker {
  return {
    async fetch(request, env, ctx) {
      const response =
        refusePlainHttp(request) ?? (await worker.fetch(withOneCookieField(uncached(request)), env, ctx));
      const answer = withHeaders(await inForm(request, response), request.url);
      return request.method === 'HEAD' ? new Response(null, answer) : answer;
    },
  };
}

function withHeaders(response: Response, url: string): Response {
  const { status, headers } = response;
  // The hook or `_headers` has set them already. A Worker's static assets also apply `_headers` to their errors, which caches would then
  // keep for a year.
  const isKept = status >= 400 && headers.get('Cache-Control') !== 'no-store';
  if (headers.has('X-Content-Type-Options') && !isKept) return response;
  const answer = new Response(response.body, response);
  setOnEveryAnswer(answer.headers, new URL(url));
  return answer;
}

function setOnEveryAnswer(headers: Headers, url: URL): void {
  for (const [name, value] of Object.entries(ON_EVERY_ANSWER)) headers.set(name, value);
  // Must not be sent over plain http (RFC 6797, 7.2). On loopback it would also force every other app on this machine to https.
  if (url.protocol === 'https:' && !isLoopback(url)) headers.set('Strict-Transport-Security', HSTS);
  if (headers.has('Content-Security-Policy')) return;
  const isPage = headers.get('Content-Type')?.startsWith('text/html');
  headers.set('Content-Security-Policy', isPage ? ERROR_PAGE : NOTHING_TO_LOAD);
}
