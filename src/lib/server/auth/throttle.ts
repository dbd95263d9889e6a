import { createHmac } from 'node:crypto';
import { sql, type Sql } from '../sql';
import { THROTTLE_WINDOW_MILLISECONDS, type ThrottleRule } from './policy';

/** One thing whose failures are counted, from the first one on for a day: a username, an address block, a device, a session. */
export type Bucket = {
  id: string;
  rule: ThrottleRule;
  /** Others share it: a success takes its own count back, not theirs. */
  shared: boolean;
};

/** Too many tries: when the next one may come. */
export type Throttled = { retryAfterSeconds: number };

/** A bucket in which a try was counted, and until when it was blocked then: by no more than this try. */
type Counted = Bucket & { blockedUntil: number };

/** A try that was counted and may go on. */
export type Try = { counted: Counted[] };

export type Throttle = ReturnType<typeof createThrottle>;

/**
 * Slows guessing down, in D1, where a count is one atomic statement. KV could not do it: it is a minute late and
 * takes one write a second. Every try is counted before its password is looked at, and what comes of it holds only if
 * no block overtook it: so guesses made at once learn no more than guesses made one after the other, while right
 * passwords made at once all get in. A try that succeeds takes its count back.
 */
export function createThrottle(db: D1Database) {
  /** When the next try may come, or `null` if it may come now. */
  async function wait({ counted }: Try): Promise<Throttled | null> {
    const rows = await db.batch<Row>(counted.map(({ id }) => read(db, id)));
    return longestWait(counted.map((bucket, i) => [bucket, rows[i]?.results[0]]));
  }

  /**
   * Counts a try in each bucket, and says whether it may go on. One that may not counts nowhere, not even where it was counted
   * `before`. After the first wait a bucket lets one try through at a time.
   */
  async function take(buckets: Bucket[], before: Try = { counted: [] }): Promise<Try | Throttled> {
    if (buckets.length === 0) return before;
    const results = await db.batch<Row>(
      buckets.flatMap((bucket) => [count(db, bucket), read(db, bucket.id)]),
    );
    const counted = [...before.counted];
    const refused: [Bucket, Row | undefined][] = [];
    buckets.forEach((bucket, i) => {
      const row = results[2 * i]?.results[0];
      if (row) counted.push({ ...bucket, blockedUntil: row.blocked_until });
      else refused.push([bucket, results[2 * i + 1]?.results[0]]);
    });
    if (refused.length === 0) return { counted };
    if (counted.length > 0) await db.batch(counted.map((one) => takeBack(db, one)));
    return longestWait(refused) ?? { retryAfterSeconds: 1 };
  }

  return {
    wait,
    take,

    /** The statements that make a failed try count: to be run in the batch that records it. */
    fail({ counted }: Try): D1PreparedStatement[] {
      const now = Date.now();
      return counted.map(({ id, rule, blockedUntil }) =>
        db
          .prepare(
            `UPDATE SignInThrottle
             SET blocked_until = CASE WHEN failures < ?3 THEN blocked_until ELSE max(blocked_until, ?2 + ${WAIT}) END
             WHERE id = ?1 AND blocked_until = ?6`,
          )
          .bind(
            id,
            now,
            rule.freeFailures,
            rule.firstWaitMilliseconds,
            rule.longestWaitMilliseconds,
            blockedUntil,
          ),
      );
    },

    /** The statements that take a successful try back: its buckets begin anew, shared ones lose one count. */
    succeed({ counted }: Try): D1PreparedStatement[] {
      return counted.map((one) =>
        one.shared
          ? takeBack(db, one)
          : db
              .prepare('DELETE FROM SignInThrottle WHERE id = ?1 AND blocked_until = ?2')
              .bind(one.id, one.blockedUntil),
      );
    },

    /**
     * Whether a block overtook the try whose `fail` or `succeed` began the batch that gave these results; then what
     * came of it must not be told.
     */
    async overtaken(tried: Try, results: D1Result[]): Promise<Throttled | null> {
      const settled = results.slice(0, tried.counted.length).every(({ meta }) => meta.changes === 1);
      // A row that is gone was another try's success, not a block.
      return settled ? null : wait(tried);
    },
  };
}

/** SQL, true unless a block has overtaken a try. */
export function notOvertaken({ counted }: Try): Sql {
  const buckets = JSON.stringify(counted.map(({ id, blockedUntil }) => ({ id, blockedUntil })));
  return sql`NOT EXISTS (
    SELECT 1 FROM json_each(${buckets}) AS counted JOIN SignInThrottle AS bucket ON bucket.id = counted.value ->> 'id'
    WHERE bucket.blocked_until <> counted.value ->> 'blockedUntil')`;
}

type Row = { failures: number; blocked_until: number; counted_at: number };

/** The longest wait of buckets, each with its row; `null` when none is closed. */
function longestWait(buckets: [Bucket, Row | undefined][]): Throttled | null {
  const now = Date.now();
  const ends = buckets.map(([{ rule }, row]) => {
    if (!row) return 0;
    // Too many tries at once, none of which has failed yet, close it without a block.
    const isFull = row.blocked_until === 0 && row.failures >= rule.burst;
    return isFull ? row.counted_at + rule.longestWaitMilliseconds : row.blocked_until;
  });
  const end = Math.max(...ends);
  return end <= now ? null : { retryAfterSeconds: Math.ceil((end - now) / 1_000) };
}

/** The wait after `failures` failures, in SQL: ?3 free failures, ?4 the first wait, ?5 the longest. */
const WAIT = 'min(?4 * (1 << min(max(failures - ?3, 0), 20)), ?5)';

/**
 * Counts, if there is no block now: below the burst any try, past it one at a time. Tries that were counted and of which
 * nothing was heard (a visitor who left) hold up the next one for the longest wait, and no longer.
 */
function count(db: D1Database, { id, rule }: Bucket): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO SignInThrottle (id, failures, blocked_until, expires_at, counted_at)
       VALUES (?1, 1, 0, ?2 + ?7, ?2)
       ON CONFLICT (id) DO UPDATE SET
         failures = CASE WHEN expires_at <= ?2 THEN 1 ELSE failures + 1 END,
         blocked_until = CASE WHEN expires_at <= ?2 OR (blocked_until = 0 AND failures < ?6) THEN 0
                              ELSE ?2 + min(?4 * (1 << min(max(failures + 1 - ?3, 0), 20)), ?5) END,
         expires_at = CASE WHEN expires_at <= ?2 THEN ?2 + ?7 ELSE expires_at END,
         counted_at = ?2
       WHERE expires_at <= ?2
         OR (blocked_until <= ?2 AND (failures < ?6 OR blocked_until > 0 OR counted_at <= ?2 - ?5))
       RETURNING failures, blocked_until, counted_at`,
    )
    .bind(
      id,
      Date.now(),
      rule.freeFailures,
      rule.firstWaitMilliseconds,
      rule.longestWaitMilliseconds,
      rule.burst,
      THROTTLE_WINDOW_MILLISECONDS,
    );
}

/** Takes one count back, with the wait that it brought; the others stay. */
function takeBack(db: D1Database, { id, rule, blockedUntil }: Counted): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE SignInThrottle
       SET failures = max(failures - 1, 0),
           blocked_until = CASE WHEN failures <= ?4 THEN 0 ELSE min(blocked_until, ?3) END
       WHERE id = ?1 AND blocked_until = ?2`,
    )
    .bind(id, blockedUntil, Date.now(), rule.freeFailures);
}

function read(db: D1Database, id: string): D1PreparedStatement {
  return db.prepare('SELECT failures, blocked_until, counted_at FROM SignInThrottle WHERE id = ?1').bind(id);
}

/** A bucket under a keyed hash, so that no name and no address is at rest in the table. */
export function bucket(
  rule: ThrottleRule,
  secret: string | undefined,
  kind: string,
  of: string,
  { shared = false } = {},
): Bucket {
  const id = createHmac('sha256', secret ?? 'no secret is set')
    .update(`${kind}:${of}`)
    .digest('base64url');
  return { id: `${kind}:${id}`, rule, shared };
}

/**
 * The block an address belongs to: an IPv4 address itself, an IPv6 /64, which is what one subscriber gets.
 * `null` for loopback: there is no stranger there, and a test makes a thousand accounts from it. Also where the edge names no
 * address: no block would tell the strangers there apart.
 */
export function addressBlock(address: string | null): string | null {
  if (!address || ['127.0.0.1', '::1', 'localhost'].includes(address)) return null;
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.toLowerCase().split('::');
  const first = head.split(':').filter(Boolean);
  const last = tail === undefined ? [] : tail.split(':').filter(Boolean);
  const groups = [...first, ...Array<string>(Math.max(8 - first.length - last.length, 0)).fill('0'), ...last];
  return groups
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ''))
    .join(':');
}
