import { DEVICE_KINDS, type Device, type Place } from '$lib/session-view';
import { replaceExcessMarks, UNSEEN } from '$lib/visible-text';
import { SESSION_NAME_MAX_CHARACTERS } from '../policy';
import { imitatesBadge } from './look-alikes';

/** Why a text that somebody typed is rejected. */
export type TextFault = 'unseen' | 'marks' | 'too-long' | 'badge';

export type Judged = {
  /** The text in one line, as others may read it. `null` if nothing of it is left. */
  shown: string | null;
  /** Why the text had to be changed. `null` if it could stay as it was. */
  fault: TextFault | null;
};

/** Scripts in which a joiner between two letters decides whether they join. */
const JOINING = ['Arab', 'Beng', 'Deva', 'Knda', 'Mlym', 'Sinh', 'Taml', 'Telu']
  .map((script) => `\\p{scx=${script}}`)
  .join('');
/**
 * What keeps its invisible characters: emoji as Unicode lists them, with their joiners and selectors, and joiners between letters that need
 * them.
 */
const KEPT = new RegExp(
  String.raw`(\p{RGI_Emoji}|(?<=[[\p{L}\p{M}]&&[${JOINING}]])[\u200C\u200D](?=[\p{L}&&[${JOINING}]]))`,
  'v',
);
/** Marks without a letter before them would attach to whatever precedes the text. */
const LEADING_MARKS = /^\p{M}+/u;
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A text in which nothing has to change: printable ASCII with single spaces between. Nearly every device and place is one. */
const PLAIN = /^[!-~]+(?: [!-~]+)*$/;

/**
 * Judges a text that a person or a browser sent and that others will read, such as a name or a place. Typed text is rejected for its
 * `fault`, so that nobody wonders where a character went. Any other text, including text stored earlier, is read as `shown`. `max` is in
 * code points, so at most four times as many bytes.
 */
export function judge(text: string, max: number): Judged {
  const { plain, fault } = PLAIN.test(text) ? { plain: text, fault: null } : visibleOf(text);
  const cut = atMost(plain, max);
  const badge = imitatesBadge(plain);
  return {
    shown: badge ? null : cut || null,
    fault: fault ?? (cut !== plain ? 'too-long' : null) ?? (badge ? 'badge' : null),
  };
}

/** Returns what can be seen of a text, in one line. */
function visibleOf(text: string): { plain: string; fault: TextFault | null } {
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
  const isUnseen = seen !== line || /\p{Cc}|[\u2028\u2029]/u.test(text.trim());
  return { plain, fault: isUnseen ? 'unseen' : plain !== seen ? 'marks' : null };
}

/** Returns as many whole characters as fit in `max` code points. */
function atMost(text: string, max: number): string {
  // True for nearly every text. Finding where characters end would take longer than all the rest.
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
/** ISO 3166-1 alpha-2, or one of Cloudflare's codes: XX if the country is unknown, T1 for Tor. */
const COUNTRY = /^(?:[A-Z]{2}|T1)$/;
/** Older records contain versions that browsers had frozen: "Windows 10", "macOS 10.15.7", "Android 10". */
const FROZEN_VERSION = /^(Windows|macOS|Android|iOS) [\d._]+$/;

/** A session's name, safe to show; `null` for none. */
export function shownName(name: unknown): string | null {
  return textOf(name, SESSION_NAME_MAX_CHARACTERS);
}

/** A device, safe to show whatever a record contains. */
export function shownDevice(stored: Partial<Record<keyof Device, unknown>> | null | undefined): Device {
  const { browser, system, kind } = stored ?? {};
  return {
    browser: textOf(browser, DEVICE_MAX_CHARACTERS),
    system: textOf(system, DEVICE_MAX_CHARACTERS)?.replace(FROZEN_VERSION, '$1') ?? null,
    kind: DEVICE_KINDS.find((one) => one === kind) ?? 'unknown',
  };
}

/** A place, safe to show whatever the edge or a record contains. */
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
