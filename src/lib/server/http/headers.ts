// The upload bundles this file outside Vite as well (svelte.config.js): nothing of $lib, $app or $env in here, or in what it imports.
import type { RequestEvent } from '@sveltejs/kit';
import { isLoopback } from '../sessions/loopback';
import { asGet, withoutBody } from './bodiless';
import { withOneCookieField } from './cookie-fields';
import { refusePlainHttp } from './plain-http';
import { inForm } from './refuse';

const HSTS_MAX_AGE_SECONDS = 365 * 24 * 60 * 60;
const HSTS = `max-age=${HSTS_MAX_AGE_SECONDS}; includeSubDomains`;
const RETRY_AFTER_SECONDS = 5;

/** What a JSON answer, a redirect or an error without a page may load: nothing. Pages have Kit's policy: svelte.config.js. */
const NOTHING_TO_LOAD = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/** src/error.html is the one page to which Kit gives no policy. */
const ERROR_PAGE = `${NOTHING_TO_LOAD}; style-src 'self'; img-src 'self'`;

/** What every answer carries (ASVS 3.4). What Pages serves without the worker has its own in the file `_headers`. */
const ON_EVERY_ANSWER = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
  // Pages say who is signed in: no cache may keep one (ASVS 14.3.2).
  'Cache-Control': 'no-store',
};

/** The headers of what a hook sees. */
export function setSecurityHeaders({ locals, url }: RequestEvent, { status, headers }: Response): void {
  setOnEveryAnswer(headers, url);
  if (locals.stores && locals.showCost) headers.set('Server-Timing', locals.stores.meter.serverTiming());
  if (status === 503) headers.set('Retry-After', String(RETRY_AFTER_SECONDS));
}

type Worker = { fetch(request: Request, env: unknown, ctx: unknown): Promise<Response> };

/**
 * A worker whose every answer has the headers, also those that Kit gives before any hook runs (svelte.config.js), and that plain
 * http from another machine does not reach.
 */
export function withSecurityHeaders(worker: Worker): Worker {
  return {
    async fetch(request, env, ctx) {
      const response =
        refusePlainHttp(request) ?? (await worker.fetch(withOneCookieField(asGet(request)), env, ctx));
      const answer = withHeaders(await inForm(request, response), request.url);
      return request.method === 'HEAD' ? withoutBody(answer) : answer;
    },
  };
}

function withHeaders(response: Response, url: string): Response {
  const { status, headers } = response;
  // Set by the hook, or by `_headers`. A Worker's static assets put those on what they do not find as well, to be kept for a year.
  const isKept = status >= 400 && headers.get('Cache-Control') !== 'no-store';
  if (headers.has('X-Content-Type-Options') && !isKept) return response;
  const answer = new Response(response.body, response);
  setOnEveryAnswer(answer.headers, new URL(url));
  return answer;
}

function setOnEveryAnswer(headers: Headers, url: URL): void {
  for (const [name, value] of Object.entries(ON_EVERY_ANSWER)) headers.set(name, value);
  // Not to be sent over plain http (RFC 6797, 7.2). On loopback it would lead every other app on this machine to https as well.
  if (url.protocol === 'https:' && !isLoopback(url)) headers.set('Strict-Transport-Security', HSTS);
  if (headers.has('Content-Security-Policy')) return;
  const isPage = headers.get('Content-Type')?.startsWith('text/html');
  headers.set('Content-Security-Policy', isPage ? ERROR_PAGE : NOTHING_TO_LOAD);
}
