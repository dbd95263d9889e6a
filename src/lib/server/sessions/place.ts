import type { Place } from '$lib/session-view';
import { isLoopback } from './loopback';
import { shownPlace } from './readable';

/** Country and city as Cloudflare's edge sees them (`request.cf`), fit to be shown; no address is kept. */
export function placeOf(cf: { country?: unknown; city?: unknown } | undefined, url: URL): Place {
  return isLoopback(url) ? { country: null, city: 'local' } : shownPlace(cf);
}
