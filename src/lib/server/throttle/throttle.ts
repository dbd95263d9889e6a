import { createHmac } from 'node:crypto';
import { logEvent } from '../sessions/activity';
import { deriveKey } from '../sessions/signer';
import { ask, countIn, enter, leave, purge, type Asked, type Entered } from './throttle-sql';
import type { ThrottleRule } from '../policy';

export type Outcome = 'failed' | 'succeeded';

/** Something whose tries are counted, for a day from the first one that counts: a username, an address block, a device or a session. */
export type Bucket = {
  id: string;
  rule: ThrottleRule;
  /** The outcomes that count. If empty, the bucket only limits how many tries are under way at once and ignores waits. */
  counts: readonly Outcome[];
  /** Several people share the bucket, so one person's success does not clear the others' failures. */
  shared: boolean;
};

/** At most `max` successes per window. It is checked before the password is compared, so it reveals nothing about the password. */
export type Quota = { id: string; max: number; windowMilliseconds: number };

/** Too many tries. Says when the next one is possible. */
export class Throttled extends Error {
  constructor(readonly retryAfterSeconds: number) {
    super(`[throttle] too many tries: the next one may come in ${retryAfterSeconds} s`);
    this.name = 'Throttled';
  }
}

/** A bucket in which a try is under way, with the end of the block that the try found. A different end means that a block began since. */
export type Counted = Bucket & { blockedUntil: number };

/** A try that may proceed. */
export type Try = { counted: Counted[]; quotas: Quota[] };

export type Throttle = ReturnType<typeof createThrottle>;

/**
 * Slows down password guessing. It lives in D1, where counting is one atomic statement. KV cannot do it: its reads are up to a minute old,
 * and it accepts one write per second and key.
 *
 * A row knows how many tries failed and how many are under way. Before a try's password is looked at, the try takes a place in every one of
 * its buckets or in none. A refused try writes nothing. The outcome of a try holds only if no block overtook it. So guesses made at the
 * same time learn no more than guesses made one after another, while right passwords entered at the same time all succeed. A row that holds
 * nothing any more is deleted.
 */
export function createThrottle(db: D1Database) {
  /** When the closed ones open again, in epoch milliseconds. `null` if all are open. */
  async function closedUntil(wanted: (Bucket | Quota)[]): Promise<number | null> {
    return (await ask(db, wanted).first<Asked>())?.until ?? null;
  }

  /** Ends a try. The first statement changes one row per bucket in which no block overtook the try. */
  function settle({ counted, quotas }: Try, outcome: Outcome | null): D1PreparedStatement[] {
    if (counted.length === 0) return [];
    const reached = outcome === 'succeeded' ? quotas.map((quota) => countIn(db, quota)) : [];
    return [leave(db, counted, outcome), ...reached, purge(db)];
  }

  return {
    /**
     * Lets a try proceed if every bucket has a place for it and no quota is used up. `instead`: an earlier try of the same request, whose
     * places are given up. Throws `Throttled`.
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
      // The two statements see the same state, because a batch is a transaction.
      if (blocks.size === 0) refuseUntil(asked?.results[0]?.until);
      return { counted: buckets.map((one) => ({ ...one, blockedUntil: blocks.get(one.id) ?? 0 })), quotas };
    },

    /**
     * The statements that count a failed try. They begin the batch that records the failure, or follow the statement that uses
     * `notOvertaken`.
     */
    fail: (tried: Try) => settle(tried, 'failed'),

    /** The statements that end a successful try. They clear the failures in its own buckets, but not in shared ones. */
    succeed: (tried: Try) => settle(tried, 'succeeded'),

    /**
     * Throws `Throttled` if a block overtook the try whose `fail` or `succeed` statements returned these results. Then its outcome must not
     * be revealed.
     */
    async requireNotOvertaken(tried: Try, results: D1Result[]): Promise<void> {
      if (tried.counted.length === 0 || results[0]?.meta.changes === tried.counted.length) return;
      await this.refuse(tried);
    },

    /** Throws `Throttled` for a try that a block overtook. */
    async refuse({ counted, quotas }: Try): Promise<never> {
      return refuseUntil(await closedUntil([...counted, ...quotas]));
    },

    /** Whether a quota is used up. */
    isUsedUp: async (quota: Quota): Promise<boolean> => (await closedUntil([quota])) !== null,

    /** Throws `Throttled` if the quota is used up. */
    async requireRoom(quota: Quota): Promise<void> {
      const until = await closedUntil([quota]);
      if (until !== null) refuseUntil(until);
    },
  };
}

/** Without a time, the block had already ended when it was looked up. Then the wait is one second. */
function refuseUntil(until: number | null | undefined): never {
  const retryAfterSeconds = Math.max(Math.ceil(((until ?? 0) - Date.now()) / 1_000), 1);
  logEvent('throttled', { retryAfterSeconds });
  throw new Throttled(retryAfterSeconds);
}

/**
 * The id of a row: a keyed hash, so the table stores no name and no address. The origin is not part of it: a deployment has many hostnames,
 * and guesses at all of them count together.
 */
export function rowId(secret: string | undefined, kind: string, of: string): string {
  const hash = createHmac('sha256', deriveKey(secret ?? 'no secret is set', 'throttle')).update(
    `${kind}:${of}`,
  );
  return `${kind}:${hash.digest('base64url')}`;
}

/** Makes a bucket. By default it counts failures. */
export function bucket(
  rule: ThrottleRule,
  secret: string | undefined,
  kind: string,
  of: string,
  { counts = ['failed'], shared = false }: Partial<Pick<Bucket, 'counts' | 'shared'>> = {},
): Bucket {
  return { id: rowId(secret, kind, of), rule, counts, shared };
}
