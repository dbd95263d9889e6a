import { randomInt } from 'node:crypto';
import type { Account } from '$lib/server/sessions/ledger';
import { prepare, sql } from '$lib/server/stores/sql';
import { addressBlock } from '$lib/server/throttle/address-block';
import { createThrottle, rowId, type Quota } from '$lib/server/throttle/throttle';
import { countIn, hasRoom } from '$lib/server/throttle/throttle-sql';
import { PURGE_ROWS_AT_ONCE } from '$lib/server/policy';

/** Demo users are created when first needed, and reused. */
export const DEMO_USERS_MAX = 200;
/** The number of races that one address may start in an hour. */
export const RACES_PER_HOUR_MAX = 60;
const HOUR_MILLISECONDS = 60 * 60_000;

/** A race ends long before that, so its rows in the ledger can be deleted. */
const ROWS_KEPT_MILLISECONDS = HOUR_MILLISECONDS;

/**
 * Returns one of the demo users, with a single batch. They have no key, so there is no password to sign in with. No sign-up can create such
 * a name or id. Several visitors may get the same user, because a race ends its own session by id and nothing else. Throws `Throttled` past
 * `RACES_PER_HOUR_MAX`.
 */
export async function takeDemoUser(
  db: D1Database,
  { address, secret }: { address: string; secret: string },
): Promise<Account> {
  const number = randomInt(DEMO_USERS_MAX);
  const id = `race-${number}`;
  const quota = quotaOf(address, secret);
  const [taken] = await db.batch<Account & { room: number }>([
    prepare(
      db,
      sql`INSERT INTO User (id, username) VALUES (${id}, ${`race ${number}`}) ON CONFLICT (id) DO UPDATE SET id = id
          RETURNING id, username, session_epoch AS epoch, ${quota ? hasRoom(quota) : 1} AS room`,
    ),
    ...(quota ? [countIn(db, quota)] : []),
    ...purge(db, Date.now() - ROWS_KEPT_MILLISECONDS),
  ]);
  const account = taken?.results[0];
  if (quota && account?.room !== 1) await createThrottle(db).requireRoom(quota);
  if (!account) throw new Error('[race] D1 returned no demo user: is the table User there?');
  return { id: account.id, username: account.username, epoch: account.epoch };
}

/** Counts by address, as for sign-ups. There is no quota on loopback. */
function quotaOf(address: string, secret: string): Quota | null {
  const block = addressBlock(address);
  if (block === null) return null;
  return { id: rowId(secret, 'race', block), max: RACES_PER_HOUR_MAX, windowMilliseconds: HOUR_MILLISECONDS };
}

/** Deletes what older races wrote. The id of a real user contains no hyphen, so the range from `race-` to `race.` holds only demo users. */
function purge(db: D1Database, before: number): D1PreparedStatement[] {
  const demo = sql`user_id >= 'race-' AND user_id < 'race.'`;
  return [
    sql`DELETE FROM RevokedSession WHERE id IN
          (SELECT id FROM RevokedSession WHERE ${demo} AND revoked_at <= ${before} LIMIT ${PURGE_ROWS_AT_ONCE})`,
    sql`DELETE FROM SecurityEvent WHERE id IN
          (SELECT id FROM SecurityEvent WHERE ${demo} AND at <= ${before} LIMIT ${PURGE_ROWS_AT_ONCE})`,
  ].map((query) => prepare(db, query));
}
