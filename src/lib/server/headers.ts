import type { RequestEvent } from '@sveltejs/kit';

const HSTS_MAX_AGE_SECONDS = 365 * 24 * 60 * 60;
const RETRY_AFTER_SECONDS = 5;

/** What a JSON answer, a redirect or an error without a page may load: nothing. Pages have Kit's policy: svelte.config.js. */
const NOTHING_TO_LOAD = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** Headers every answer carries (ASVS 3.4). What Pages serves without us has its own in the file `_headers`. */
export function setSecurityHeaders({ locals }: RequestEvent, { status, headers }: Response): void {
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Referrer-Policy', 'same-origin');
  headers.set('X-Frame-Options', 'DENY');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Cross-Origin-Resource-Policy', 'same-origin');
  headers.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  // Browsers ignore it on plain http.
  headers.set('Strict-Transport-Security', `max-age=${HSTS_MAX_AGE_SECONDS}; includeSubDomains`);
  // Pages say who is signed in: no cache may keep one (ASVS 14.3.2).
  headers.set('Cache-Control', 'no-store');
  if (!headers.has('Content-Security-Policy')) headers.set('Content-Security-Policy', NOTHING_TO_LOAD);
  if (locals.auth && locals.showCost) headers.set('Server-Timing', locals.auth.stores.meter.serverTiming());
  if (status === 503) headers.set('Retry-After', String(RETRY_AFTER_SECONDS));
  // What scripts have kept goes with the session (ASVS 14.3.1). Not "cookies": it would take the answer's own with it.
  if (locals.auth?.memory.signedOut) headers.set('Clear-Site-Data', '"cache", "storage"');
}
