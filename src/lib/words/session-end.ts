import type { Device } from '$lib/session-view';
import { deviceName } from './device';
import { relativeTime } from './time';

/** How a session ended. `by`: "from Chrome on macOS"; `at`: epoch milliseconds. Each is `null` if unknown. */
export type SessionEnd = { by: string | null; at: number | null };

/** Says who ended a session. `type` is the type of the event that ended it; `device` is the device that did it. */
export function endedBy({ type, device }: { type: string; device: Device }): string {
  if (type === 'ended-by-operator') return 'by the operator of this site';
  return device.browser || device.system ? `from ${deviceName(device)}` : 'from another device';
}

/** "This session was ended from Chrome on macOS, 2 minutes ago.", or the part of it that is known. `now` is in epoch milliseconds. */
export function sessionEndInWords({ by, at }: SessionEnd, now: number): string {
  if (by === null || at === null) return 'Your session has ended.';
  return `This session was ended ${by}, ${relativeTime(at, now)}.`;
}
