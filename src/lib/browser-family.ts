import type { Device } from './session-view';

/** Returns the device without its browser's version: "Firefox 145" becomes "Firefox". */
export function withoutVersion(device: Device): Device {
  return { ...device, browser: device.browser?.replace(/ \d{1,3}$/, '') ?? null };
}
