import { createHmac } from 'node:crypto';
import { logEvent } from '../sessions/activity';
import { prepare, sql, type Sql } from '../stores/sql';
import {
  PURGE_ROWS_AT_ONCE,
  THROTTLE_WINDOW_MILLISECONDS,
  UNDER_WAY_MILLISECONDS,
  type ThrottleRule,
} from '../policy';

type Outcome = 'failed' | 'succeeded';

/** One thing whose tries are counted, for a day from the first that counts: a username, an address block, a device, a session. */
export type Bucket = {
  id: string;
  rule: ThrottleRule;
  /** The tries that count. None: the bucket limits only what is under way at once, and heeds no wait. */
  counts: readonly Outcome[];
  /** Others share it, so a success does not clear what they failed. */
  shared: boolean;
};

/** So many successes in a window. It is asked before the password is compared, so it tells nothing of the password. */
export type Quota = { id: string; max: number; windowMilliseconds: number };

/** Too many tries: when the next one may come. */
export class Throttled extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super(`[throttle] too many tries: the next one may come in ${retryAfterSeconds} s`);
    this.name = 'Throttled';
  }
}

/** A bucket in which a try is under way, with the end of its last block as it was then: another one means a block since. */
type Counted = Bucket & { blockedUntil: number };

/** A try that may go on. */
export type Try = { counted: Counted[]; quotas: Quota[] };

export type Throttle = ReturnType<typeof createThrottle>;

/**
 * Slows guessing down, in D1, where a count is one atomic statement. KV could not do it: it is a minute late and
 * takes one write a second.
 *
 * A row knows what has failed and what is under way. A try takes a place in each of its buckets before its password is
 * looked at, or in none: a try that is refused writes nothing. What comes of it holds only if no block overtook it: so
 * guesses made at once learn no more than guesses made one after the other, while right passwords made at once all get in.
 * A row that holds nothing any more is deleted.
 */
export function createThrottle(db: D1Database) {
  /** Until when they are closed, epoch milliseconds; `null`: they are open. */
  async function closedUntil(wanted: (Bucket | Quota)[]): Promise<number | null> {
    return (await ask(db, wanted).first<Asked>())?.until ?? null;
  }

  /** Ends a try; the first statement changes one row for each bucket in which no block has overtaken it. */
  function settle({ counted, quotas }: Try, outcome: Outcome | null): D1PreparedStatement[] {
    if (counted.length === 0) return [];
    const reached = outcome === 'succeeded' ? quotas.map((quota) => countIn(db, quota)) : [];
    return [leave(db, counted, outcome), ...reached, purge(db)];
  }

  return {
    /**
     * Lets a try go on if every bucket has a place for it and no quota is reached. `instead` gives up the places of an
     * earlier try of the same request. Throws `Throttled`.
     */
    async take(
      buckets: Bucket[],
      { quotas = [], instead }: { quotas?: Quota[]; instead?: Try } = {},
    ): Promise<Try> {
      if (buckets.length === 0) return { counted: [], quotas };
      const given = instead ? settle(instead, null) : [];
      const wanted = [...buckets, ...quotas];
      const results = await db.batch<Asked & Entered>([...given, ask(db, wanted), enter(db, wanted)]);
      const [asked, entered] = results.slice(given.length);
      const blocks = new Map(entered?.results.map(({ id, blocked_until }) => [id, blocked_until]));
      // Nobody came between the two: a batch is a transaction.
      if (blocks.size === 0) refuseUntil(asked?.results[0]?.until);
      return { counted: buckets.map((one) => ({ ...one, blockedUntil: blocks.get(one.id) ?? 0 })), quotas };
    },

    /** The statements that make a failed try count: they begin the batch that records it, or follow what asks `notOvertaken`. */
    fail: (tried: Try) => settle(tried, 'failed'),

    /** The statements that end a try that succeeded: they clear what was failed in its buckets, but not in shared ones. */
    succeed: (tried: Try) => settle(tried, 'succeeded'),

    /**
     * Throws `Throttled` if a block overtook the try whose `fail` or `succeed` gave these results: then what came of it must not be
     * told.
     */
    async requireNotOvertaken(tried: Try, results: D1Result[]): Promise<void> {
      if (tried.counted.length === 0 || results[0]?.meta.changes === tried.counted.length) return;
      await this.refuse(tried);
    },

    /** Throws `Throttled` for a try that a block overtook. */
    async refuse({ counted, quotas }: Try): Promise<never> {
      return refuseUntil(await closedUntil([...counted, ...quotas]));
    },

    /** Throws `Throttled` if the quota is used up. */
    async requireRoom(quota: Quota): Promise<void> {
      const until = await closedUntil([quota]);
      if (until !== null) refuseUntil(until);
    },
  };
}

/** SQL, true unless a block has overtaken a try. */
export function notOvertaken({ counted }: Try): Sql {
  const heeded = counted.filter(({ counts }) => counts.length > 0);
  const buckets = JSON.stringify(heeded.map(({ id, blockedUntil }) => ({ id, blockedUntil })));
  return sql`NOT EXISTS (
    SELECT 1 FROM json_each(${buckets}) AS counted LEFT JOIN SignInThrottle AS bucket ON bucket.id = counted.value ->> 'id'
    WHERE bucket.blocked_until IS NOT counted.value ->> 'blockedUntil')`;
}

type Asked = { until: number | null };
type Entered = { id: string; blocked_until: number };

/** Nothing: the block was gone when it was asked for; a second is enough. */
function refuseUntil(until: number | null | undefined): never {
  const retryAfterSeconds = Math.max(Math.ceil(((until ?? 0) - Date.now()) / 1_000), 1);
  logEvent('throttled', { retryAfterSeconds });
  throw new Throttled(retryAfterSeconds);
}

/** The buckets and quotas of a try, as a table. A quota holds no place, so it has no limit at once. */
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
 * Whether a bucket takes no other try. After the first wait it lets one through at a time. Tries of which nothing
 * was heard (a worker that died) hold their places no longer than `UNDER_WAY_MILLISECONDS`.
 */
function isClosed(now: number): Sql {
  return sql`stored.id = wanted.id AND stored.expires_at > ${now} AND (
    (heeds AND blocked_until > ${now})
    OR CASE WHEN counted_at > ${now - UNDER_WAY_MILLISECONDS} THEN under_way ELSE 0 END
       >= CASE WHEN heeds AND failures >= free THEN 1 ELSE at_once END)`;
}

/** Until when the slowest of them is closed; for want of a place a second is enough. */
function ask(db: D1Database, wanted: (Bucket | Quota)[]): D1PreparedStatement {
  const now = Date.now();
  return prepare(
    db,
    sql`SELECT max(CASE WHEN heeds AND blocked_until > ${now} THEN min(blocked_until, expires_at) ELSE ${now + 1_000} END) AS until
        FROM ${tableOf(wanted)} JOIN SignInThrottle AS stored ON ${isClosed(now)}`,
  );
}

/** Takes a place in each bucket, or in none. */
function enter(db: D1Database, wanted: (Bucket | Quota)[]): D1PreparedStatement {
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

/** Whether this try brings a wait. */
const BLOCKS = sql`adds AND failures + 1 >= free`;
/** The wait after it, of a bucket's own length. */
const WAIT = sql`min(first_wait * (1 << min(failures + 1 - free, 20)), longest_wait)`;

/**
 * Leaves each bucket's place, and counts where the outcome counts. The first that counts begins the day; what brings a
 * wait overtakes all that is under way; a row that holds nothing any more expires now.
 */
function leave(db: D1Database, counted: Counted[], outcome: Outcome | null): D1PreparedStatement {
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

/** SQL, true while a quota has room. */
export function hasRoom({ id }: Quota): Sql {
  const now = Date.now();
  return sql`NOT EXISTS (SELECT 1 FROM SignInThrottle WHERE id = ${id} AND expires_at > ${now} AND blocked_until > ${now})`;
}

/** Counts a success. The last one that the window has room for closes it until its end. */
export function countIn(db: D1Database, { id, max, windowMilliseconds }: Quota): D1PreparedStatement {
  const now = Date.now();
  return prepare(
    db,
    sql`INSERT INTO SignInThrottle (id, failures, blocked_until, counted_at, expires_at)
        VALUES (${id}, 1, 0, ${now}, ${now + windowMilliseconds})
        ON CONFLICT (id) DO UPDATE SET
          failures = CASE WHEN expires_at > ${now} THEN failures + 1 ELSE 1 END,
          blocked_until = CASE WHEN expires_at > ${now} AND failures + 1 >= ${max} THEN expires_at ELSE 0 END,
          counted_at = ${now},
          expires_at = CASE WHEN expires_at > ${now} THEN expires_at ELSE excluded.expires_at END`,
  );
}

/** Deletes rows that have expired, some at a time: those that hold nothing any more, and those whose day is over. */
function purge(db: D1Database): D1PreparedStatement {
  return prepare(
    db,
    sql`DELETE FROM SignInThrottle WHERE id IN
          (SELECT id FROM SignInThrottle WHERE expires_at <= ${Date.now()} LIMIT ${PURGE_ROWS_AT_ONCE})`,
  );
}

/** The id of a row: a keyed hash, so that no name and no address is at rest in the table. */
export function rowId(secret: string | undefined, kind: string, of: string): string {
  const hash = createHmac('sha256', secret ?? 'no secret is set').update(`${kind}:${of}`);
  return `${kind}:${hash.digest('base64url')}`;
}

/** A bucket of failures, unless told otherwise. */
export function bucket(
  rule: ThrottleRule,
  secret: string | undefined,
  kind: string,
  of: string,
  { counts = ['failed'], shared = false }: Partial<Pick<Bucket, 'counts' | 'shared'>> = {},
): Bucket {
  return { id: rowId(secret, kind, of), rule, counts, shared };
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
