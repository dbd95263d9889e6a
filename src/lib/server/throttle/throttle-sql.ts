/** The SQL of the throttle: how a try asks for its places, takes them and leaves them. */
import { prepare, sql, type Sql } from '../stores/sql';
import { PURGE_ROWS_AT_ONCE, THROTTLE_WINDOW_MILLISECONDS, UNDER_WAY_MILLISECONDS } from '../policy';
import type { Bucket, Counted, Outcome, Quota, Try } from './throttle';

/** SQL that is true unless a block has overtaken a try. */
export function notOvertaken({ counted }: Try): Sql {
  const heeded = counted.filter(({ counts }) => counts.length > 0);
  const buckets = JSON.stringify(heeded.map(({ id, blockedUntil }) => ({ id, blockedUntil })));
  return sql`NOT EXISTS (
    SELECT 1 FROM json_each(${buckets}) AS counted LEFT JOIN SignInThrottle AS bucket ON bucket.id = counted.value ->> 'id'
    WHERE bucket.blocked_until IS NOT counted.value ->> 'blockedUntil')`;
}

export type Asked = { until: number | null };
export type Entered = { id: string; blocked_until: number };

/** The buckets and quotas of a try as a table. A quota does not limit tries under way, so its `atOnce` is null. */
function tableOf(wanted: (Bucket | Quota)[]): Sql {
  const rows = wanted.map((one) =>
    'rule' in one
      ? {
          id: one.id,
          free: one.rule.freeFailures,
          atOnce: one.rule.triesAtOnce,
          heeds: one.counts.length > 0,
        }
      : { id: one.id, free: one.max, atOnce: null, heeds: true },
  );
  return sql`(SELECT value ->> 'id' AS id, value ->> 'free' AS free, value ->> 'atOnce' AS at_once, value ->> 'heeds' AS heeds
    FROM json_each(${JSON.stringify(rows)})) AS wanted`;
}

/**
 * SQL that is true if a bucket accepts no further try. After the first wait it accepts one at a time. A try without an outcome (its Worker
 * died) holds its place for at most `UNDER_WAY_MILLISECONDS`.
 */
function isClosed(now: number): Sql {
  return sql`stored.id = wanted.id AND stored.expires_at > ${now} AND (
    (heeds AND blocked_until > ${now})
    OR CASE WHEN counted_at > ${now - UNDER_WAY_MILLISECONDS} THEN under_way ELSE 0 END
       >= CASE WHEN heeds AND failures >= free THEN 1 ELSE at_once END)`;
}

/** When the last of the closed buckets opens again. A bucket that only lacks a free place is worth a wait of one second. */
export function ask(db: D1Database, wanted: (Bucket | Quota)[]): D1PreparedStatement {
  const now = Date.now();
  return prepare(
    db,
    sql`SELECT max(CASE WHEN heeds AND blocked_until > ${now} THEN min(blocked_until, expires_at) ELSE ${now + 1_000} END) AS until
        FROM ${tableOf(wanted)} JOIN SignInThrottle AS stored ON ${isClosed(now)}`,
  );
}

/** Takes a place in every bucket, or in none. */
export function enter(db: D1Database, wanted: (Bucket | Quota)[]): D1PreparedStatement {
  const now = Date.now();
  const table = tableOf(wanted);
  return prepare(
    db,
    sql`INSERT INTO SignInThrottle (id, failures, under_way, blocked_until, counted_at, expires_at)
        SELECT id, 0, 1, 0, ${now}, ${now + UNDER_WAY_MILLISECONDS} FROM ${table}
        WHERE at_once IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM ${table} JOIN SignInThrottle AS stored ON ${isClosed(now)})
        ON CONFLICT (id) DO UPDATE SET
          failures = CASE WHEN expires_at > ${now} THEN failures ELSE 0 END,
          blocked_until = CASE WHEN expires_at > ${now} THEN blocked_until ELSE 0 END,
          under_way = CASE WHEN expires_at > ${now} AND counted_at > ${now - UNDER_WAY_MILLISECONDS} THEN under_way + 1 ELSE 1 END,
          expires_at = CASE WHEN expires_at > ${now} AND failures > 0 THEN expires_at ELSE excluded.expires_at END,
          counted_at = ${now}
        RETURNING id, blocked_until`,
  );
}

/** Whether this try starts a wait. */
const BLOCKS = sql`adds AND failures + 1 >= free`;
/** The length of that wait, by the bucket's own rule. */
const WAIT = sql`min(first_wait * (1 << min(failures + 1 - free, 20)), longest_wait)`;

/**
 * Gives up the place in each bucket, and counts the try if its outcome counts. The first counted try starts the 24-hour window. A try that
 * starts a wait overtakes all others under way. A row that holds nothing any more expires now.
 */
export function leave(db: D1Database, counted: Counted[], outcome: Outcome | null): D1PreparedStatement {
  const left = counted.map(({ id, rule, counts, shared, blockedUntil }) => ({
    id,
    blockedUntil,
    heeds: counts.length > 0,
    adds: outcome !== null && counts.includes(outcome),
    clears: outcome === 'succeeded' && !shared && !counts.includes('succeeded'),
    free: rule.freeFailures,
    firstWait: rule.firstWaitMilliseconds,
    longestWait: rule.longestWaitMilliseconds,
  }));
  const now = Date.now();
  return prepare(
    db,
    sql`UPDATE SignInThrottle SET
          failures = CASE WHEN clears THEN 0 ELSE failures + adds END,
          under_way = CASE WHEN ${BLOCKS} THEN 0 ELSE max(under_way - 1, 0) END,
          blocked_until = CASE WHEN clears THEN 0 WHEN ${BLOCKS} THEN ${now} + ${WAIT} ELSE blocked_until END,
          expires_at = CASE WHEN NOT clears AND failures > 0 THEN expires_at
                            WHEN adds THEN ${now + THROTTLE_WINDOW_MILLISECONDS}
                            WHEN under_way > 1 THEN counted_at + ${UNDER_WAY_MILLISECONDS}
                            ELSE 0 END
        FROM (SELECT value ->> 'id' AS bucket_id, value ->> 'blockedUntil' AS blocked_before, value ->> 'heeds' AS heeds,
                value ->> 'adds' AS adds, value ->> 'clears' AS clears, value ->> 'free' AS free,
                value ->> 'firstWait' AS first_wait, value ->> 'longestWait' AS longest_wait
              FROM json_each(${JSON.stringify(left)}))
        WHERE id = bucket_id AND (blocked_until = blocked_before OR NOT heeds)`,
  );
}

/** SQL that is true while a quota has room. */
export function hasRoom({ id }: Quota): Sql {
  const now = Date.now();
  return sql`NOT EXISTS (SELECT 1 FROM SignInThrottle WHERE id = ${id} AND expires_at > ${now} AND blocked_until > ${now})`;
}

/** Counts a success. The last one that fits in the window closes the quota until the window ends. */
export function countIn(db: D1Database, { id, max, windowMilliseconds }: Quota): D1PreparedStatement {
  const now = Date.now();
  return prepare(
    db,
    sql`INSERT INTO SignInThrottle (id, failures, blocked_until, counted_at, expires_at)
        VALUES (${id}, 1, ${max > 1 ? 0 : now + windowMilliseconds}, ${now}, ${now + windowMilliseconds})
        ON CONFLICT (id) DO UPDATE SET
          failures = CASE WHEN expires_at > ${now} THEN failures + 1 ELSE 1 END,
          blocked_until = CASE WHEN expires_at > ${now} AND failures + 1 >= ${max} THEN expires_at ELSE 0 END,
          counted_at = ${now},
          expires_at = CASE WHEN expires_at > ${now} THEN expires_at ELSE excluded.expires_at END`,
  );
}

/** Deletes expired rows, some at a time: rows that hold nothing any more, and rows whose window is over. */
export function purge(db: D1Database): D1PreparedStatement {
  return prepare(
    db,
    sql`DELETE FROM SignInThrottle WHERE id IN
          (SELECT id FROM SignInThrottle WHERE expires_at <= ${Date.now()} LIMIT ${PURGE_ROWS_AT_ONCE})`,
  );
}
