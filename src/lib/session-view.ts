/** "tool": a program without a person's eyes before it, as `curl`. */
export const DEVICE_KINDS = ['phone', 'tablet', 'desktop', 'tool', 'unknown'] as const;

/** What a sign-in was made from, by what its browser says of itself: names that we know; `null` for others. */
export type Device = {
  browser: string | null;
  system: string | null;
  kind: (typeof DEVICE_KINDS)[number];
};

/** Coarse place of a sign-in: ISO 3166-1 alpha-2 country code and city; `null` where unknown. Never an address. */
export type Place = { country: string | null; city: string | null };

/** One active session as the pages and the API show it. Times are epoch milliseconds. */
export type SessionView = {
  /** The session id: a handle, not a credential. */
  id: string;
  current: boolean;
  /** What its user calls it. */
  name: string | null;
  device: Device;
  place: Place;
  signedInAt: number;
  lastActiveAt: number;
  /** When it ends by itself if it is not used any more. */
  endsAt: number;
  /** Whether a copy of its cookie is of no use on another device. */
  bound: boolean;
};
