import { DEVICE_KINDS, type Device, type Place } from '$lib/session-view';
import { replaceExcessMarks, UNSEEN } from '$lib/visible-text';
import { SESSION_NAME_MAX_CHARACTERS } from '../policy';
import { imitatesBadge } from './look-alikes';

/** Why a text that somebody typed is refused. */
export type TextFault = 'unseen' | 'marks' | 'too-long' | 'badge';

export type Judged = {
  /** The text as others may read it, in one line; `null` where nothing of it is left. */
  shown: string | null;
  /** What had to be taken out, cut or left out; `null` for a text that could stay as it was. */
  fault: TextFault | null;
};

/** Scripts in which two letters join or not by a joiner between them. */
const JOINING = ['Arab', 'Beng', 'Deva', 'Knda', 'Mlym', 'Sinh', 'Taml', 'Telu']
  .map((script) => `\\p{scx=${script}}`)
  .join('');
/** Emoji as Unicode lists them, with the joiners and selectors that make them one, and joiners where letters need them. */
const KEPT = new RegExp(
  String.raw`(\p{RGI_Emoji}|(?<=[[\p{L}\p{M}]&&[${JOINING}]])[\u200C\u200D](?=[\p{L}&&[${JOINING}]]))`,
  'v',
);
/** Marks with no letter before them sit on whatever stands before the text. */
const LEADING_MARKS = /^\p{M}+/u;
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Judges a text that a person or a browser sent and that others will read: a name, a place. What is typed is refused for its `fault`, so that
 * nobody wonders where a character went; what is not typed, or was stored before this, is read as `shown`. `max` is in code points, so four times
 * as many bytes at most.
 */
export function judge(text: string, max: number): Judged {
  const line = text
    .normalize('NFC')
    .replace(/[\t\n\v\f\r\u2028\u2029]/g, ' ')
    .replace(/\p{Zs}+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  const seen = line
    .split(KEPT)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(UNSEEN, '')))
    .join('');
  const plain = replaceExcessMarks(seen.trim().replace(LEADING_MARKS, ''), () => '').trim();
  const cut = atMost(plain, max);
  const badge = imitatesBadge(plain);
  return {
    shown: badge ? null : cut || null,
    fault:
      (seen !== line || /\p{Cc}|[\u2028\u2029]/u.test(text.trim()) ? 'unseen' : null) ??
      (plain !== seen ? 'marks' : null) ??
      (cut !== plain ? 'too-long' : null) ??
      (badge ? 'badge' : null),
  };
}

/** As many whole characters as that many code points have room for. */
function atMost(text: string, max: number): string {
  // Nearly every text: finding where characters end takes longer than all the rest.
  if (text.length <= max) return text;
  let cut = '';
  let length = 0;
  for (const { segment } of characters.segment(text)) {
    length += [...segment].length;
    if (length > max) break;
    cut += segment;
  }
  return cut.trimEnd();
}

const DEVICE_MAX_CHARACTERS = 40;
const CITY_MAX_CHARACTERS = 60;
/** ISO 3166-1 alpha-2, or Cloudflare's own: XX where it knows none, T1 for Tor. */
const COUNTRY = /^(?:[A-Z]{2}|T1)$/;
/** Once stored, and frozen by browsers: "Windows 10", "macOS 10.15.7", "Android 10". */
const FROZEN_VERSION = /^(Windows|macOS|Android|iOS) [\d._]+$/;

/** A session's name as it may be shown; `null` for none. */
export function shownName(name: unknown): string | null {
  return textOf(name, SESSION_NAME_MAX_CHARACTERS);
}

/** A device as it may be shown, whatever a record says. */
export function shownDevice(stored: Partial<Record<keyof Device, unknown>> | null | undefined): Device {
  const { browser, system, kind } = stored ?? {};
  return {
    browser: textOf(browser, DEVICE_MAX_CHARACTERS),
    system: textOf(system, DEVICE_MAX_CHARACTERS)?.replace(FROZEN_VERSION, '$1') ?? null,
    kind: DEVICE_KINDS.find((one) => one === kind) ?? 'unknown',
  };
}

/** A place as it may be shown, whatever the edge or a record says. */
export function shownPlace(said: { country?: unknown; city?: unknown } | null | undefined): Place {
  const { country, city } = said ?? {};
  return {
    country: typeof country === 'string' && COUNTRY.test(country) ? country : null,
    city: textOf(city, CITY_MAX_CHARACTERS),
  };
}

function textOf(text: unknown, max: number): string | null {
  return typeof text === 'string' ? judge(text, max).shown : null;
}
