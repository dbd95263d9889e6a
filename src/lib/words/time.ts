import { LOCALE } from './locale';

const SECOND_MILLISECONDS = 1_000;
const UNITS: [unit: Intl.RelativeTimeFormatUnit, milliseconds: number][] = [
  ['year', 365 * 24 * 60 * 60 * SECOND_MILLISECONDS],
  ['month', 30 * 24 * 60 * 60 * SECOND_MILLISECONDS],
  ['day', 24 * 60 * 60 * SECOND_MILLISECONDS],
  ['hour', 60 * 60 * SECOND_MILLISECONDS],
  ['minute', 60 * SECOND_MILLISECONDS],
];

const relative = new Intl.RelativeTimeFormat(LOCALE);

/** "3 days ago", "in 2 hours", or "just now" within a minute. Both times are epoch milliseconds. Rounds down to whole units. */
export function relativeTime(at: number, now: number): string {
  const distance = at - now;
  // Counts days up to 60, because "1 month" would hide whether it is 30 or 59 days.
  const fitting = UNITS.find(
    ([unit, milliseconds]) => Math.abs(distance) >= milliseconds * (unit === 'month' ? 2 : 1),
  );
  if (!fitting) return 'just now';
  const [unit, milliseconds] = fitting;
  return relative.format(Math.trunc(distance / milliseconds), unit);
}

const EXACT: Intl.DateTimeFormatOptions = {
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
};
const exactIn = formats(EXACT);
const dateIn = formats({ dateStyle: 'long' });

/** "12 Mar 2026, 14:05 UTC". If `timeZone` is null, the reader's own is used. */
export function exactTime(at: number, timeZone: 'UTC' | null): string {
  return exactIn(timeZone).format(at);
}

/** "12 March 2026". If `timeZone` is null, the reader's own is used. */
export function dateOnly(at: number, timeZone: 'UTC' | null): string {
  return dateIn(timeZone).format(at);
}

/** Keeps one formatter for each time zone. Creating one costs more than rendering the row that uses it. */
function formats(options: Intl.DateTimeFormatOptions) {
  const made = new Map<'UTC' | null, Intl.DateTimeFormat>();
  return (timeZone: 'UTC' | null): Intl.DateTimeFormat => {
    const format =
      made.get(timeZone) ?? new Intl.DateTimeFormat(LOCALE, { ...options, ...(timeZone && { timeZone }) });
    made.set(timeZone, format);
    return format;
  };
}
