import type { Device, Place } from '$lib/session-view';
import { LOCALE } from './locale';

const countries = new Intl.DisplayNames(LOCALE, { type: 'region' });

/** "Chrome 131 on macOS 15", or as much of it as is known. */
export function deviceName({ browser, system }: Device): string {
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? 'Unknown device';
}

/** "Lisbon, Portugal", or as much of it as is known. */
export function placeName({ city, country }: Place): string {
  const known = [city, country && countryName(country)].filter(Boolean).join(', ');
  return known || 'Unknown place';
}

function countryName(code: string): string {
  // Cloudflare's own codes: XX is "no country known", T1 is the Tor network; Intl knows neither.
  if (code === 'XX') return 'Unknown country';
  if (code === 'T1') return 'Tor network';
  try {
    return countries.of(code) ?? code;
  } catch {
    return code; // not shaped like a country code: shown as it was stored
  }
}
