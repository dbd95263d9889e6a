import { withoutVersion } from '$lib/browser-family';
import type { Device, Place, SessionView } from '$lib/session-view';
import { isolated } from '$lib/isolated';
import { LOCALE } from './locale';
import { exactTime } from './time';

const countries = new Intl.DisplayNames(LOCALE, { type: 'region' });

/** "Chrome 131 on macOS", or the part of it that is known. */
export function deviceName({ browser, system }: Device): string {
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? 'Unknown device';
}

/** "Lisbon, Portugal", or the part of it that is known. */
export function placeName({ city, country }: Place): string {
  // The place that is stored for this machine itself (sessions/place.ts).
  if (city === 'local' && !country) return 'Local';
  const known = [city, country && countryName(country)].filter(Boolean).join(', ');
  return known || 'Unknown place';
}

/** "Chrome on macOS, Lisbon, Portugal", with the session's name in place of the device if it has one. Identifies a session in a sentence. */
export function sessionBriefly({
  name,
  device,
  place,
}: Pick<SessionView, 'name' | 'device' | 'place'>): string {
  return `${name ?? deviceName(withoutVersion(device))}, ${placeName(place)}`;
}

/** "Chrome 131 on macOS, Lisbon, Portugal, signed in 12 Mar 2026, 14:05 UTC". Tells similar sessions apart. `timeZone`: see `exactTime`. */
export function sessionInWords(session: SessionView, timeZone: 'UTC' | null): string {
  const name = isolated(session.name ?? deviceName(session.device));
  return `${name}, ${isolated(placeName(session.place))}, signed in ${exactTime(session.signedInAt, timeZone)}`;
}

/** Says what will happen, beside a request for the password. */
export const thenEnds = (session: string) => `Then this session ends: ${session}.`;

function countryName(code: string): string {
  // Cloudflare's own codes, which Intl does not know: XX means that the country is unknown, T1 is the Tor network.
  if (code === 'XX') return 'Unknown country';
  if (code === 'T1') return 'Tor network';
  try {
    return countries.of(code) ?? code;
  } catch {
    return code; // not shaped like a country code: shown as it was stored
  }
}
