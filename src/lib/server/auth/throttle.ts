import { createHmac } from 'node:crypto';
import { THROTTLE_WINDOW_MILLISECONDS, type ThrottleRule } from './policy';

/** One thing whose failures are counted: a username, an address block, a device, a session. */
export type Bucket = { id: string; rule: ThrottleRule };

export type Throttle = ReturnType<typeof createThrottle>;

/**
 * Slows guessing down, in D1, where a count is one atomic statement. KV could not do it: it is a minute late and
 * takes one write a second. Every try is counted before its password is looked at, so guesses made at once
 * do not slip past each other; a try that succeeds takes its count back.
 */
export function createThrottle(db: D1Database) {
  return {
    /**
     * Counts a try in each bucket. Gives 0 when it may go on, else the seconds until the next one may.
     * After the first wait a bucket lets one try through at a time.
     */
    async take(buckets: Bucket[]): Promise<number> {
      if (buckets.length === 0) return 0;
      const now = Date.now();
      const results = await db.batch<{ blocked_until: number }>(
        buckets.flatMap(({ id, rule }) => [count(db, id, rule, now), read(db, id, now)]),
      );
      const waits = buckets.map((_, i) => {
        const counted = results[2 * i]?.results.length === 1;
        const blockedUntil = results[2 * i + 1]?.results[0]?.blocked_until ?? 0;
        // Refused without a block: a burst, of which no try has failed yet.
        return counted ? 0 : Math.max(1, Math.ceil((blockedUntil - now) / 1_000));
      });
      return Math.max(...waits);
    },

    /** The statements that make a failed try count: to be run in the batch that records it. */
    fail(buckets: Bucket[]): D1PreparedStatement[] {
      const now = Date.now();
      return buckets.map(({ id, rule }) =>
        db
          .prepare(
            `UPDATE SignInThrottle SET blocked_until = max(blocked_until, ?2 + ${WAIT})
             WHERE id = ?1 AND failures >= ?3`,
          )
          .bind(id, now, rule.freeFailures, rule.firstWaitMilliseconds, rule.longestWaitMilliseconds),
      );
    },

    /** The statements that take a successful try back: `forgiven` buckets begin anew, `shared` ones lose one count. */
    succeed({ forgiven, shared }: { forgiven: Bucket[]; shared: Bucket[] }): D1PreparedStatement[] {
      return [
        ...forgiven.map(({ id }) => db.prepare('DELETE FROM SignInThrottle WHERE id = ?1').bind(id)),
        ...shared.map(({ id }) =>
          db.prepare('UPDATE SignInThrottle SET failures = max(failures - 1, 0) WHERE id = ?1').bind(id),
        ),
      ];
    },
  };
}

/** The wait after `failures` failures, in SQL: ?3 free failures, ?4 the first wait, ?5 the longest. */
const WAIT = 'min(?4 * (1 << min(max(failures - ?3, 0), 20)), ?5)';

function count(db: D1Database, id: string, rule: ThrottleRule, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO SignInThrottle (id, failures, blocked_until, expires_at) VALUES (?1, 1, 0, ?2 + ?7)
       ON CONFLICT (id) DO UPDATE SET
         failures = CASE WHEN expires_at <= ?2 THEN 1 ELSE failures + 1 END,
         blocked_until = CASE WHEN expires_at <= ?2 OR blocked_until = 0 THEN 0
                              ELSE ?2 + min(?4 * (1 << min(max(failures + 1 - ?3, 0), 20)), ?5) END,
         expires_at = ?2 + ?7
       WHERE expires_at <= ?2 OR (blocked_until <= ?2 AND (failures < ?6 OR blocked_until > 0))
       RETURNING blocked_until`,
    )
    .bind(
      id,
      now,
      rule.freeFailures,
      rule.firstWaitMilliseconds,
      rule.longestWaitMilliseconds,
      rule.burst,
      THROTTLE_WINDOW_MILLISECONDS,
    );
}

function read(db: D1Database, id: string, now: number): D1PreparedStatement {
  return db
    .prepare('SELECT blocked_until FROM SignInThrottle WHERE id = ?1 AND expires_at > ?2')
    .bind(id, now);
}

/** A bucket's row id: a keyed hash, so that no name and no address is at rest in the table. */
export function bucket(rule: ThrottleRule, secret: string | undefined, kind: string, of: string): Bucket {
  const id = createHmac('sha256', secret ?? 'no secret is set')
    .update(`${kind}:${of}`)
    .digest('base64url');
  return { id: `${kind}:${id}`, rule };
}

/**
 * The block an address belongs to: an IPv4 address itself, an IPv6 /64, which is what one subscriber gets.
 * `null` for loopback: there is no stranger there, and a test makes a thousand accounts from it.
 */
export function addressBlock(address: string): string | null {
  if (['127.0.0.1', '::1', 'localhost', ''].includes(address)) return null;
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
