import { relativeTime } from './time';

/** How a session ended. `by`: the device that ended it; `at`: epoch milliseconds. What is not known is `null`. */
export type SessionEnd = { by: string | null; at: number | null };

/** "This session was ended from Chrome on macOS, 2 minutes ago.", or as much of it as is known. `now`: epoch milliseconds. */
export function sessionEndInWords({ by, at }: SessionEnd, now: number): string {
  const what = by === null ? 'This session has ended' : `This session was ended from ${by}`;
  return at === null ? `${what}.` : `${what}, ${relativeTime(at, now)}.`;
}
