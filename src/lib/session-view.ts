/** "tool" is a program that nobody watches, such as `curl`. */
export const DEVICE_KINDS = ['phone', 'tablet', 'desktop', 'tool', 'unknown'] as const;

/** The device of a sign-in, according to its browser. Only names that the app knows; `null` for others. */
export type Device = {
  browser: string | null;
  system: string | null;
  kind: (typeof DEVICE_KINDS)[number];
};

/** The approximate place of a sign-in: ISO 3166-1 alpha-2 country code and city, each `null` if unknown. Never an IP address. */
export type Place = { country: string | null; city: string | null };

/** A use of a session that differs from its sign-in in browser family, system, kind of device or country. `at` is in epoch milliseconds. */
export type Move = {
  /** The event's id. A later move has a higher one. */
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
  /** The name that its user gave it. */
  name: string | null;
  device: Device;
  place: Place;
  signedInAt: number;
  lastActiveAt: number;
  /** When it ends if it is not used again. */
  endsAt: number;
  /** Where else the session was used: the latest first, each place once. Only moves that the user has not answered yet. */
  moved: Move[];
  /** Whether it is bound to its device: a copy of its cookie is useless on another device. */
  bound: boolean;
};
