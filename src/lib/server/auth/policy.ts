/** Every number that the sign-in rules rest on, with its unit in its name. */

const SECOND_MILLISECONDS = 1_000;
const MINUTE_MILLISECONDS = 60 * SECOND_MILLISECONDS;
const HOUR_MILLISECONDS = 60 * MINUTE_MILLISECONDS;
const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;

/** Until then a session is used as it is; the first request after it renews the session (one KV write). */
export const ACTIVE_PERIOD_MILLISECONDS = 1 * HOUR_MILLISECONDS;

/** How long after the active period an unused session can still be renewed (ASVS 7.3.1). */
export const IDLE_PERIOD_MILLISECONDS = 30 * DAY_MILLISECONDS;

/** The longest a session lives however much it is used, counted from the sign-in (ASVS 7.3.2). */
export const ABSOLUTE_PERIOD_MILLISECONDS = 90 * DAY_MILLISECONDS;

/** Entropy of a session token, in bytes (ASVS 7.2.3 asks for 16 or more). */
export const TOKEN_BYTES = 32;

export const USERNAME_MIN_CHARACTERS = 3;
export const USERNAME_MAX_CHARACTERS = 64;

/** ASVS 6.2.1: 8 at the least. */
export const PASSWORD_MIN_CHARACTERS = 8;
/** ASVS 6.2.9: 64 or more must be allowed. The upper bound keeps a request's work bounded. */
export const PASSWORD_MAX_CHARACTERS = 256;

/** Lucia v2's own scrypt parameters (N, r, p and the key's length in bytes). */
export const SCRYPT = { cost: 16_384, blockSize: 16, parallelization: 1, keyBytes: 64 } as const;

/** A store that has not answered by then counts as down. */
export const STORE_TIMEOUT_MILLISECONDS = 5_000;

/** Workers allow six connections at once to a request; background deletes keep to that. */
export const BACKGROUND_DELETES_AT_ONCE = 6;
