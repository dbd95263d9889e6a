/** Every number behind the sign-in rules, with its unit in its name. */

const SECOND_MILLISECONDS = 1_000;
const MINUTE_MILLISECONDS = 60 * SECOND_MILLISECONDS;
export const HOUR_MILLISECONDS = 60 * MINUTE_MILLISECONDS;
export const DAY_MILLISECONDS = 24 * HOUR_MILLISECONDS;

/** Within this period a session is used as it is. The first request after it renews the session (one KV write). */
export const ACTIVE_PERIOD_MILLISECONDS = 1 * HOUR_MILLISECONDS;

/** How long after the active period an unused session can still be renewed (ASVS 7.3.1). */
export const IDLE_PERIOD_MILLISECONDS = 30 * DAY_MILLISECONDS;

/** The longest a session can live however much it is used, counted from the sign-in (ASVS 7.3.2). */
export const ABSOLUTE_PERIOD_MILLISECONDS = 90 * DAY_MILLISECONDS;

/** Entropy of a session token, in bytes (ASVS 7.2.3 asks for at least 16). */
export const TOKEN_BYTES = 32;

export const USERNAME_MIN_CHARACTERS = 3;
export const USERNAME_MAX_CHARACTERS = 64;

/** In code points, so at most four times as many bytes. */
export const SESSION_NAME_MAX_CHARACTERS = 40;

/** ASVS 6.2.1 asks for at least 8. Counted by `passwordLength`. */
export const PASSWORD_MIN_CHARACTERS = 8;
/** ASVS 6.2.9 requires that 64 are allowed. The upper bound limits the work of a request. */
export const PASSWORD_MAX_CHARACTERS = 256;

/** How long the sign-in and sign-up pages recognize a form that is sent twice. */
export const FORM_VISIT_MILLISECONDS = 10 * MINUTE_MILLISECONDS;

/** Large enough for the fullest form here, with room to spare. A longer body is refused and not kept in memory. */
export const FORM_MAX_BYTES = 32_768;

/** Lucia v2's own scrypt parameters: N, r, p and the key length in bytes. */
export const SCRYPT = { cost: 16_384, blockSize: 16, parallelization: 1, keyBytes: 64 } as const;

/** A store that has not responded after this time counts as down. */
export const STORE_TIMEOUT_MILLISECONDS = 5_000;
/** The time-out is split into this many timers, one after another (`inTime` says why). */
export const STORE_TIMEOUT_PARTS = 10;
/** After this many parts (one second) without a response, a D1 operation that may be repeated is sent again. */
export const D1_RETRY_PARTS = 2;
/** The pause before D1 is asked again, drawn at random between the two. */
export const D1_RETRY_WAIT_MILLISECONDS = { least: 20, most: 100 } as const;
/** A store that takes longer than this to respond counts as slow. */
export const STORE_SLOW_MILLISECONDS = 1_000;

/** KV accepts one write per second and key. The rest allows for a difference between our clock and KV's. */
export const KV_WRITE_INTERVAL_MILLISECONDS = 1_100;

/** Workers allows a request six simultaneous connections. Background deletes stay within that limit. */
export const BACKGROUND_DELETES_AT_ONCE = 6;

/**
 * How often one sign-in may "end all others" or change the password within an hour. Each adds a ledger row and an event, and nobody needs
 * it more often. Counted per sign-in, so that the holder of a stolen cookie cannot use up the owner's limit.
 */
export const ROTATIONS_PER_HOUR_MAX = 60;

/**
 * How long a signed confirmation by the ledger lets page views greet the user without asking a store. So a session may still be greeted for
 * this long after it has ended.
 */
export const CONFIRMATION_SECONDS = 60;
/** How far the clock of the machine that signed a confirmation may be ahead of ours. */
export const CONFIRMATION_AHEAD_MILLISECONDS = 2 * SECOND_MILLISECONDS;
/** A longer confirmation cookie is not ours and is rejected before it is hashed. */
export const CONFIRMATION_MAX_BYTES = 1_024;
/** How long a page view waits to learn whom to greet. After that it greets nobody, and the page asks once more by itself. */
export const PEEK_TIMEOUT_MILLISECONDS = 500;

/** How long an entered password counts as proof for ending other sessions (ASVS 7.5.1). */
export const PROOF_PERIOD_MILLISECONDS = 15 * MINUTE_MILLISECONDS;

/** How far back the activity page goes. */
export const EVENTS_KEPT_MILLISECONDS = 90 * DAY_MILLISECONDS;
/**
 * Events are deleted a day after they stop being shown. The ledger recognizes a session by its sign-in event, and a session can live for 90
 * days.
 */
export const EVENTS_STORED_MILLISECONDS = EVENTS_KEPT_MILLISECONDS + 1 * DAY_MILLISECONDS;
export const EVENTS_PER_PAGE = 50;
/** A download holds this many events, the newest ones: about 2 MB. */
export const EVENTS_IN_DOWNLOAD_MAX = 5_000;

/** A use of a session from elsewhere is recorded at most once an hour for the same browser family, system, kind and country. */
export const MOVE_NOTED_EVERY_MILLISECONDS = 1 * HOUR_MILLISECONDS;
/**
 * Once one session has this many moves within a day, a place already recorded that day is not recorded again. Only moves since the user's
 * last answer count.
 */
export const KNOWN_MOVES_PER_DAY_MAX = 24;
/** Once it has this many, no place is recorded. The difference is reserved for new places, so that known ones cannot crowd them out. */
export const MOVES_PER_DAY_MAX = 48;
/** How many of a session's latest moves and answers a confirmation reads. */
export const MOVES_READ_MAX = 50;
/** How many it reads of all sessions of a list. An event takes about 250 bytes, and D1 returns no value of more than 2 MB. */
export const MOVES_READ_AT_ONCE_MAX = 4_000;

/** One page of a KV listing. If a user has more sessions, the app looks only at the first page. */
export const SESSIONS_LISTED_MAX = 1_000;
/** How many of a user's ended sessions are read, at most, to count the live ones. If there are that many, no number is told. */
export const REVOKED_READ_MAX = 2_000;
/** The sessions page shows this many, the most recently used ones. */
export const SESSIONS_SHOWN_MAX = 200;

/** How long a browser that signed in is recognized as the account's own. */
export const DEVICE_COOKIE_SECONDS = 365 * 24 * 60 * 60;
/** How many accounts a browser can be recognized for. This keeps the cookie under 700 bytes. */
export const DEVICE_COOKIE_ACCOUNTS_MAX = 6;

/** A session that is bound to its device needs a cookie that the device's key proved at most this long ago. */
export const BOUND_COOKIE_MILLISECONDS = 10 * MINUTE_MILLISECONDS;
/** How long a device may take to respond to a challenge. The offer to bind a session is a challenge, and each refresh brings another. */
export const DEVICE_CHALLENGE_MILLISECONDS = 1 * MINUTE_MILLISECONDS;
/** How long after binding a session is still accepted without the cookie. Requests that were under way when it was bound do not have it. */
export const BINDING_GRACE_MILLISECONDS = 10 * SECOND_MILLISECONDS;
/** The clocks of Cloudflare's machines differ slightly. A time further ahead than this is not ours. */
export const CLOCK_SKEW_MILLISECONDS = 2 * SECOND_MILLISECONDS;
/** A real proof has about 400 characters. */
export const DEVICE_PROOF_MAX_CHARACTERS = 2_048;
/** A use of a session without proof of its device is recorded in the activity at most once in this time. */
export const UNPROVEN_NOTED_EVERY_MILLISECONDS = 1 * HOUR_MILLISECONDS;
/** How often a page without the proof reloads by itself, and within how many seconds that is counted. */
export const PROOF_RETRIES_MAX = 2;
export const PROOF_RETRIES_SECONDS = 60;

/** When password guessing is slowed down, and by how much (ASVS 6.3.1). */
export type ThrottleRule = {
  /** Failures before the first wait. */
  freeFailures: number;
  /** Tries that may be under way at once. After the first wait it is one. */
  triesAtOnce: number;
  /** The first wait. Each further failure doubles it, up to the longest wait. */
  firstWaitMilliseconds: number;
  longestWaitMilliseconds: number;
};

/** Applies to one username (for browsers that never signed in to it), to one browser that did, and to one session's password proofs. */
export const ACCOUNT_THROTTLE: ThrottleRule = {
  freeFailures: 5,
  triesAtOnce: 50,
  firstWaitMilliseconds: 30 * SECOND_MILLISECONDS,
  longestWaitMilliseconds: 15 * MINUTE_MILLISECONDS,
};

/**
 * Applies to one address block, over all usernames. Many people may share a block. `triesAtOnce` limits everything from the block that
 * makes an isolate hash, including sign-ups and known browsers: each hash takes about 65 ms, during which the isolate's other requests
 * wait.
 */
export const ADDRESS_THROTTLE: ThrottleRule = { ...ACCOUNT_THROTTLE, freeFailures: 50, triesAtOnce: 10 };

/** Applies to sign-ups from one address block. Every sign-up counts, even a successful one. */
export const SIGN_UP_THROTTLE: ThrottleRule = { ...ACCOUNT_THROTTLE, freeFailures: 20, triesAtOnce: 10 };

/** How long a throttle remembers, counted from its first failure. */
export const THROTTLE_WINDOW_MILLISECONDS = 24 * HOUR_MILLISECONDS;

/** A try without an outcome after this time no longer counts as under way: its Worker died. */
export const UNDER_WAY_MILLISECONDS = 1 * MINUTE_MILLISECONDS;

/** Sign-ins with the right password per account (by strangers) or per known browser. No person needs more. */
export const SIGN_INS_PER_HOUR_MAX = 200;
export const SIGN_INS_WINDOW_MILLISECONDS = 1 * HOUR_MILLISECONDS;

/** How many expired rows one sign-in deletes per table. Pages has no cron. */
export const PURGE_ROWS_AT_ONCE = 100;

/** How many such rounds one run of a Worker's cron does. A round is four statements, and the free plan allows 50 per run. */
export const CRON_PURGE_ROUNDS = 10;

/**
 * KV operations per step that deletes a deleted account's records. The paid plan allows 1,000 subrequests per request. The free plan allows
 * 50: there a step ends when they are used up, and the next step continues.
 */
export const LEFTOVER_OPERATIONS_PER_STEP = 900;

/** After this time a KV list is certain to show what was written before. Cloudflare documents 60 s "or more". */
export const KV_LIST_LATE_MILLISECONDS = 10 * MINUTE_MILLISECONDS;
