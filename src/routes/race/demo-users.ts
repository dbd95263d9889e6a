import { randomInt } from 'node:crypto';
import type { Account } from '$lib/server/sessions/ledger';
import { prepare, sql } from '$lib/server/stores/sql';
import { addressBlock } from '$lib/server/throttle/address-block';
import { createThrottle, rowId, type Quota } from '$lib/server/throttle/throttle';
import { countIn, hasRoom } from '$lib/server/throttle/throttle-sql';
import { PURGE_ROWS_AT_ONCE } from '$lib/server/policy';

/** They are made when first needed, and used again. */
export const DEMO_USERS_MAX = 200;
/** Races of one address in an hour. */
export const RACES_PER_HOUR_MAX = 60;
const HOUR_MILLISECONDS = 60 * 60_000;

/** A race is over long before: what it wrote to the ledger can go. */
const ROWS_KEPT_MILLISECONDS = HOUR_MILLISECONDS;

/**
 * One of the demo users, in one batch. They have no key, so there is no password to sign in with, and no sign-up makes such a name or such
 * an id. Several visitors may have the same one: a race ends its own session by its id and nothing else.
 * Throws `Throttled` past `RACES_PER_HOUR_MAX`.
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

/** By address, as sign-ups are counted; none on loopback. */
function quotaOf(address: string, secret: string): Quota | null {
  const block = addressBlock(address);
  if (block === null) return null;
  return { id: rowId(secret, 'race', block), max: RACES_PER_HOUR_MAX, windowMilliseconds: HOUR_MILLISECONDS };
}

/** What older races wrote. A user's own id has no hyphen: those from `race-` to `race.` are the demo's. */
function purge(db: D1Database, before: number): D1PreparedStatement[] {
  const demo = sql`user_id >= 'race-' AND user_id < 'race.'`;
  return [
    sql`DELETE FROM RevokedSession WHERE id IN
          (SELECT id FROM RevokedSession WHERE ${demo} AND revoked_at <= ${before} LIMIT ${PURGE_ROWS_AT_ONCE})`,
    sql`DELETE FROM SecurityEvent WHERE id IN
          (SELECT id FROM SecurityEvent WHERE ${demo} AND at <= ${before} LIMIT ${PURGE_ROWS_AT_ONCE})`,
  ].map((query) => prepare(db, query));
}
