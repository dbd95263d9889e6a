import { createHmac } from 'node:crypto';
import { logEvent } from '../sessions/activity';
import { deriveKey } from '../sessions/signer';
import { ask, countIn, enter, leave, purge, type Asked, type Entered } from './throttle-sql';
import type { ThrottleRule } from '../policy';

export type Outcome = 'failed' | 'succeeded';

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
export type Counted = Bucket & { blockedUntil: number };

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

    /** Whether a quota is used up. */
    isUsedUp: async (quota: Quota): Promise<boolean> => (await closedUntil([quota])) !== null,

    /** Throws `Throttled` if the quota is used up. */
    async requireRoom(quota: Quota): Promise<void> {
      const until = await closedUntil([quota]);
      if (until !== null) refuseUntil(until);
    },
  };
}

/** Nothing: the block was gone when it was asked for; a second is enough. */
function refuseUntil(until: number | null | undefined): never {
  const retryAfterSeconds = Math.max(Math.ceil(((until ?? 0) - Date.now()) / 1_000), 1);
  logEvent('throttled', { retryAfterSeconds });
  throw new Throttled(retryAfterSeconds);
}

/**
 * The id of a row: a keyed hash, so that no name and no address is at rest in the table. The origin is no part of it: a deployment has many
 * addresses, and guesses at all of them count together.
 */
export function rowId(secret: string | undefined, kind: string, of: string): string {
  const hash = createHmac('sha256', deriveKey(secret ?? 'no secret is set', 'throttle')).update(
    `${kind}:${of}`,
  );
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
