import type { Device } from './session-view';

/** The same device without its browser's version: "Firefox 145" is "Firefox". */
export function withoutVersion(device: Device): Device {
  return { ...device, browser: device.browser?.replace(/ \d{1,3}$/, '') ?? null };
}
