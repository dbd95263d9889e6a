/** Whether a request comes from the browser, system and country that a session is known by. */
import { withoutVersion } from '$lib/browser-family';
import type { Device } from '$lib/session-view';
import type { Origin } from './activity';
import { deviceOf, HINTED_NAMES } from './device';

/** As a move is stored: by the browser's family, as a new version is no move. */
export function familyOf({ device, place }: Origin): Origin {
  return { device: withoutVersion(device), place };
}

/** What a request says of its browser: with its client hints, and by its user agent alone, as hints come and go. */
export type Reading = { devices: Device[]; hasHints: boolean; country: string | null };

export function readingOf(headers: Headers, { device, place }: Origin): Reading {
  const userAgent = new Headers({ 'user-agent': headers.get('user-agent') ?? '' });
  return {
    devices: [device, deviceOf(userAgent)].map(withoutVersion),
    hasHints: headers.has('sec-ch-ua'),
    country: place.country,
  };
}

/**
 * Whether a request may come from there: the same family of browser and of system, the same kind of device, the same country. A new version or
 * a new city changes nothing, and what is not known says nothing.
 */
export function isFrom(known: Origin, { devices, hasHints, country }: Reading): boolean {
  const { device, place } = familyOf(known);
  return isSameCountry(place.country, country) && devices.some((one) => isSameDevice(device, one, hasHints));
}

function isSameDevice(known: Device, seen: Device, hasHints: boolean): boolean {
  const isHintGone = !hasHints && seen.browser === 'Chrome' && isHinted(known.browser);
  return (isHintGone || known.browser === seen.browser) && isSameSystem(known, seen, hasHints);
}

function isHinted(browser: string | null): boolean {
  return browser !== null && HINTED_NAMES.has(browser);
}

/** "macOS or iPad" may be either. A phone that asks for desktop pages is an Android by its hints alone: without them it says Linux. */
function isSameSystem(known: Device, seen: Device, hasHints: boolean): boolean {
  if (known.system === seen.system) {
    return known.kind === seen.kind || known.kind === 'unknown' || seen.kind === 'unknown';
  }
  if (!hasHints && seen.browser === 'Chrome' && known.system === 'Android') return seen.system === 'Linux';
  const names = (system: string | null) => system?.split(' or ') ?? [];
  return names(known.system).some((name) => names(seen.system).includes(name));
}

/** XX is Cloudflare's word for a country that it does not know. */
function isSameCountry(known: string | null, seen: string | null): boolean {
  const isUnknown = (country: string | null) => country === null || country === 'XX';
  return known === seen || isUnknown(known) || isUnknown(seen);
}
