/** KV refuses an expiration that is nearer than this (developers.cloudflare.com/kv/api/write-key-value-pairs, "Expiring keys"). */
export const KV_MIN_TTL_SECONDS = 60;

/** KV reads its clock after we read ours, and a Worker's `Date.now()` stands still between two waits for I/O. */
const CLOCK_MARGIN_SECONDS = 2;

/** workerd takes the expiration as a 32-bit integer and throws past it (19 January 2038). */
const KV_MAX_EXPIRATION_SECONDS = 2 ** 31 - 1;

/**
 * When KV should drop a record: the `expiration` of a `put`, in whole epoch seconds. It is an absolute time. As `expirationTtl` it would
 * keep the record for fifty years.
 *
 * A session with less than a minute left outlives itself in KV. It still ends on time, because Lucia checks `idle_expires`.
 *
 * @param idleExpires the session's `idle_expires`, epoch milliseconds
 */
export function kvExpiration(idleExpires: number): number {
  const earliest = Math.ceil(Date.now() / 1000) + KV_MIN_TTL_SECONDS + CLOCK_MARGIN_SECONDS;
  const wanted = Math.max(Math.ceil(idleExpires / 1000), earliest);
  return Math.min(wanted, KV_MAX_EXPIRATION_SECONDS);
}
