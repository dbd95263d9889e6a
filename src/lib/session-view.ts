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

/** A use of a session from another browser or system family, kind of device or country than that of its sign-in. `at`: epoch milliseconds. */
export type Move = {
  /** Of the event: a later move has a higher one. */
  id: number;
  /** Without the browser's version. */
  device: Device;
  place: Place;
  at: number;
};

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
  /** Where else it was used, the latest first and each place once, as long as its user has not said whether it was them. */
  moved: Move[];
  /** Whether a copy of its cookie is of no use on another device. */
  bound: boolean;
};
