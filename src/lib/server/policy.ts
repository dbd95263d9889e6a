/** Every number that the sign-in rules rest on, with its unit in its name. */

const SECOND_MILLISECONDS = 1_000;
const MINUTE_MILLISECONDS = 60 * SECOND_MILLISECONDS;
export const HOUR_MILLISECONDS = 60 * MINUTE_MILLISECONDS;
export const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;

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

/** In code points: four times as many bytes at most. */
export const SESSION_NAME_MAX_CHARACTERS = 40;

/** ASVS 6.2.1: 8 at the least; as `passwordLength` counts. */
export const PASSWORD_MIN_CHARACTERS = 8;
/** ASVS 6.2.9: 64 or more must be allowed. The upper bound keeps a request's work bounded. */
export const PASSWORD_MAX_CHARACTERS = 256;

/** So long the pages that sign people in know a form that is sent again. */
export const FORM_VISIT_MILLISECONDS = 10 * MINUTE_MILLISECONDS;

/** Every form here at its fullest, with room to spare: what is longer is refused, and not kept in memory. */
export const FORM_MAX_BYTES = 32_768;

/** Lucia v2's own scrypt parameters (N, r, p and the key's length in bytes). */
export const SCRYPT = { cost: 16_384, blockSize: 16, parallelization: 1, keyBytes: 64 } as const;

/** A store that has not answered by then counts as down. */
export const STORE_TIMEOUT_MILLISECONDS = 5_000;
/** So many timers, one after the other, make up that time. */
export const STORE_TIMEOUT_PARTS = 10;
/** After so many of them, a second of silence, what may be asked of D1 again is. */
export const D1_RETRY_PARTS = 2;
/** How long D1 is left alone before it is asked again, drawn at random between the two. */
export const D1_RETRY_WAIT_MILLISECONDS = { least: 20, most: 100 } as const;
/** A store that took longer to answer is slow. */
export const STORE_SLOW_MILLISECONDS = 1_000;

/** KV takes one write a second of a key, and a little may pass between our clock and KV's. */
export const KV_WRITE_INTERVAL_MILLISECONDS = 1_100;

/** Workers allow six connections at once to a request; background deletes keep to that. */
export const BACKGROUND_DELETES_AT_ONCE = 6;

/**
 * "End all others" and new passwords of one sign-in in an hour: each leaves a ledger row and an event, and no person does it more often.
 * By sign-in, so whoever has a stolen cookie cannot use up the owner's.
 */
export const ROTATIONS_PER_HOUR_MAX = 60;

/** How long the ledger's yes, signed, greets on page views that ask nobody: so long after its end a session may still be greeted. */
export const CONFIRMATION_SECONDS = 60;
/** How far ahead of ours the clock of the machine that signed it may be. */
export const CONFIRMATION_AHEAD_MILLISECONDS = 2 * SECOND_MILLISECONDS;
/** A longer cookie is none of ours, and is not even hashed. */
export const CONFIRMATION_MAX_BYTES = 1_024;
/** A page view waits so long to learn whom to greet; then it greets nobody, and the page looks once more by itself. */
export const PEEK_TIMEOUT_MILLISECONDS = 500;

/** How long a password given counts as proof for ending other sessions (ASVS 7.5.1). */
export const PROOF_PERIOD_MILLISECONDS = 15 * MINUTE_MILLISECONDS;

/** How long the activity page remembers. */
export const EVENTS_KEPT_MILLISECONDS = 90 * DAY_MILLISECONDS;
/** Events go a day after they stop being shown: a sign-in is how the ledger knows its session, which lives 90 days. */
export const EVENTS_STORED_MILLISECONDS = EVENTS_KEPT_MILLISECONDS + 1 * DAY_MILLISECONDS;
export const EVENTS_PER_PAGE = 50;
/** A download holds the newest of them: about 2 MB. */
export const EVENTS_IN_DOWNLOAD_MAX = 5_000;

/** A session that is used from elsewhere is noted once an hour for the same browser family, system, kind and country. */
export const MOVE_NOTED_EVERY_MILLISECONDS = 1 * HOUR_MILLISECONDS;
/** Of one session in a day, or since its user last said whether it was them: notes of a place that was noted that day … */
export const KNOWN_MOVES_PER_DAY_MAX = 24;
/** … and of all places. The difference is kept for new ones, so that no known one hides them. */
export const MOVES_PER_DAY_MAX = 48;
/** The latest of a session that a confirmation reads. */
export const MOVES_READ_MAX = 50;

/** One page of a KV listing: of more sessions than these the app looks at these alone. */
export const SESSIONS_LISTED_MAX = 1_000;
/** The sessions page shows so many of them, the last used. */
export const SESSIONS_SHOWN_MAX = 200;

/** How long a browser that signed in is known as the account's own. */
export const DEVICE_COOKIE_SECONDS = 365 * 24 * 60 * 60;
/** Accounts that a browser is known to at a time: its cookie stays under 700 bytes. */
export const DEVICE_COOKIE_ACCOUNTS_MAX = 6;

/** A session that is bound to its device is taken only with a cookie that the device's key proved, not longer ago than this. */
export const BOUND_COOKIE_MILLISECONDS = 10 * MINUTE_MILLISECONDS;
/** Until then a device may answer a challenge: the offer to bind a session is one, each refresh brings another. */
export const DEVICE_CHALLENGE_MILLISECONDS = 1 * MINUTE_MILLISECONDS;
/** For so long after it was bound a session is taken without the cookie: requests that were under way have none. */
export const BINDING_GRACE_MILLISECONDS = 10 * SECOND_MILLISECONDS;
/** Clocks of Cloudflare's machines differ a little: a time further ahead than this is not ours. */
export const CLOCK_SKEW_MILLISECONDS = 2 * SECOND_MILLISECONDS;
/** A proof is about 400 characters long. */
export const DEVICE_PROOF_MAX_CHARACTERS = 2_048;
/** A session without proof of its device is noted in the activity once in this time. */
export const UNPROVEN_NOTED_EVERY_MILLISECONDS = 1 * HOUR_MILLISECONDS;
/** A page that lacks the proof tries again so often by itself, within so many seconds. */
export const PROOF_RETRIES_MAX = 2;
export const PROOF_RETRIES_SECONDS = 60;

/** When guessing is slowed down, and by how much (ASVS 6.3.1). */
export type ThrottleRule = {
  /** Failures before the first wait. */
  freeFailures: number;
  /** Tries that may be under way at once; after the first wait it is one. */
  triesAtOnce: number;
  /** The first wait; each further failure doubles it, up to the longest. */
  firstWaitMilliseconds: number;
  longestWaitMilliseconds: number;
};

/** Of one username, by browsers that never signed in to it; of one browser that did; of one session's password proofs. */
export const ACCOUNT_THROTTLE: ThrottleRule = {
  freeFailures: 5,
  triesAtOnce: 50,
  firstWaitMilliseconds: 30 * SECOND_MILLISECONDS,
  longestWaitMilliseconds: 15 * MINUTE_MILLISECONDS,
};

/**
 * Of one address block, over all usernames: many people may share it. What may be under way at once is for all that it
 * makes an isolate hash, sign-ups and known browsers included: some 65 ms each, in which the isolate's others wait.
 */
export const ADDRESS_THROTTLE: ThrottleRule = { ...ACCOUNT_THROTTLE, freeFailures: 50, triesAtOnce: 10 };

/** Of sign-ups from one address block: each counts, also one that succeeds. */
export const SIGN_UP_THROTTLE: ThrottleRule = { ...ACCOUNT_THROTTLE, freeFailures: 20, triesAtOnce: 10 };

/** A throttle forgets, counted from its first failure. */
export const THROTTLE_WINDOW_MILLISECONDS = 24 * HOUR_MILLISECONDS;

/** A try of which nothing was heard for so long is no longer under way: its worker died. */
export const UNDER_WAY_MILLISECONDS = 1 * MINUTE_MILLISECONDS;

/** Sign-ins with the right password, of one account by strangers or of one known browser: more are no person's. */
export const SIGN_INS_PER_HOUR_MAX = 200;
export const SIGN_INS_WINDOW_MILLISECONDS = 1 * HOUR_MILLISECONDS;

/** Expired rows that one sign-in clears away, per table: Pages has no cron. */
export const PURGE_ROWS_AT_ONCE = 100;

/** How many times as many one run of a Worker's cron clears away: three statements each, and the free plan allows 50 to a run. */
export const CRON_PURGE_ROUNDS = 10;

/**
 * KV operations of one step that deletes what a deleted account left there: the paid plan allows 1,000 subrequests to a request. On the free
 * plan, which allows 50, a step ends when they are used up, and the next one goes on.
 */
export const LEFTOVER_OPERATIONS_PER_STEP = 900;

/** After that a list of KV shows what was written before. Documented are 60 s "or more". */
export const KV_LIST_LATE_MILLISECONDS = 10 * MINUTE_MILLISECONDS;
