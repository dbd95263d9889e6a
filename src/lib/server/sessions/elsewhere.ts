/** Whether a request comes from the browser, system and country that are known for a session. */
import { withoutVersion } from '$lib/browser-family';
import type { Device } from '$lib/session-view';
import type { Origin } from './activity';
import { deviceOf, HINTED_NAMES } from './device';

/** The form in which a move is stored: by browser family, because a new version is not a move. */
export function familyOf({ device, place }: Origin): Origin {
  return { device: withoutVersion(device), place };
}

/**
 * The devices that a request may come from: once read with its client hints, and once by its user agent alone, because hints come and go.
 */
export type Reading = { devices: Device[]; hasHints: boolean; country: string | null };

export function readingOf(headers: Headers, { device, place }: Origin): Reading {
  const withoutHints = deviceOf({ get: (name) => (name === 'user-agent' ? headers.get(name) : null) });
  return {
    devices: [device, withoutHints].map(withoutVersion),
    hasHints: headers.has('sec-ch-ua'),
    country: place.country,
  };
}

/**
 * Whether a request may come from a known origin: the same browser and system family, the same kind of device and the same country. A new
 * version or a new city makes no difference. An unknown country or kind matches any.
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

/**
 * "macOS or iPad" may be either one. An Android phone that requests desktop pages says so only in its hints. Without them it says Linux.
 */
function isSameSystem(known: Device, seen: Device, hasHints: boolean): boolean {
  if (known.system === seen.system) {
    return known.kind === seen.kind || known.kind === 'unknown' || seen.kind === 'unknown';
  }
  if (!hasHints && seen.browser === 'Chrome' && known.system === 'Android') return seen.system === 'Linux';
  const names = (system: string | null) => system?.split(' or ') ?? [];
  return names(known.system).some((name) => names(seen.system).includes(name));
}

/** XX is Cloudflare's code for an unknown country. */
function isSameCountry(known: string | null, seen: string | null): boolean {
  const isUnknown = (country: string | null) => country === null || country === 'XX';
  return known === seen || isUnknown(known) || isUnknown(seen);
}
