import type { Place } from '$lib/session-view';
import { isLoopback } from './loopback';

const CITY_MAX_CHARACTERS = 60;
/** ISO 3166-1 alpha-2, or Cloudflare's own: XX where it knows none, T1 for Tor. */
const COUNTRY = /^(?:[A-Z]{2}|T1)$/;
/** Controls, what turns the direction of a line, what nobody can see, and halves of characters. */
const INVISIBLE = /[\p{C}\p{Default_Ignorable_Code_Point}]/gu;

/** Country and city as Cloudflare's edge sees them (`request.cf`), fit to be shown; no address is kept. */
export function placeOf(cf: { country?: unknown; city?: unknown } | undefined, url: URL): Place {
  if (isLoopback(url)) return { country: null, city: 'local' };
  const { country, city } = cf ?? {};
  return {
    country: typeof country === 'string' && COUNTRY.test(country) ? country : null,
    city: typeof city === 'string' ? visible(city) : null,
  };
}

/** A name in one line, at most so many characters; `null` where nothing of it can be seen. */
function visible(city: string): string | null {
  const line = city.replace(/\s+/g, ' ').replace(INVISIBLE, '').trim();
  return [...line].slice(0, CITY_MAX_CHARACTERS).join('') || null;
}
