import type { Place } from '$lib/session-view';
import { isLoopback } from './loopback';
import { shownPlace } from './readable';

/** Returns country and city as Cloudflare's edge reports them (`request.cf`), safe to show. No address is kept. */
export function placeOf(cf: { country?: unknown; city?: unknown } | undefined, url: URL): Place {
  return isLoopback(url) ? { country: null, city: 'local' } : shownPlace(cf);
}
