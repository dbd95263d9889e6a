import type { Device } from '$lib/session-view';
import { deviceName } from './device';
import { relativeTime } from './time';

/** How a session ended. `by`: "from Chrome on macOS"; `at`: epoch milliseconds. What is not known is `null`. */
export type SessionEnd = { by: string | null; at: number | null };

/** Who ended a session: `type` is that of the event that ended it, `device` what it came from. */
export function endedBy({ type, device }: { type: string; device: Device }): string {
  if (type === 'ended-by-operator') return 'by the operator of this site';
  return device.browser || device.system ? `from ${deviceName(device)}` : 'from another device';
}

/** "This session was ended from Chrome on macOS, 2 minutes ago.", or as much of it as is known. `now`: epoch milliseconds. */
export function sessionEndInWords({ by, at }: SessionEnd, now: number): string {
  if (by === null || at === null) return 'Your session has ended.';
  return `This session was ended ${by}, ${relativeTime(at, now)}.`;
}
