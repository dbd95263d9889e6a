import type { RequestEvent } from '@sveltejs/kit';

const HSTS_MAX_AGE_SECONDS = 365 * 24 * 60 * 60;
const RETRY_AFTER_SECONDS = 5;

/** Headers every answer carries (ASVS 3.4). The Content-Security-Policy of pages is Kit's: svelte.config.js. */
export function setSecurityHeaders({ url }: RequestEvent, response: Response): void {
  const { headers } = response;
  headers.set('X-Content-Type-Options', 'nosniff');
  headers.set('Referrer-Policy', 'same-origin');
  headers.set('X-Frame-Options', 'DENY');
  headers.set('Cross-Origin-Opener-Policy', 'same-origin');
  headers.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=()');
  if (url.protocol === 'https:') headers.set('Strict-Transport-Security', `max-age=${HSTS_MAX_AGE_SECONDS}`);
  // Pages say who is signed in: no cache may keep one (ASVS 14.3.2).
  headers.set('Cache-Control', 'no-store');
  if (response.status === 503) headers.set('Retry-After', String(RETRY_AFTER_SECONDS));
}
