/** The SQL of `DeviceKey`: one row per session that is bound to its device. */
import { prepare, sql } from '../stores/sql';
import { PURGE_ROWS_AT_ONCE, UNPROVEN_NOTED_EVERY_MILLISECONDS } from '../policy';
import { recordEvent, type Origin } from './activity';
import type { DevicePublicKey } from './device-proof';
import type { Actor } from './ledger';
import { actorStands, notRevoked } from './ledger-sql';
import type { AboutAsked } from './standing-sql';

/** A session's binding. `createdAt` is epoch milliseconds. */
export type Binding = { id: string; createdAt: number };

/** The part about bindings of the ledger's question about `asked` sessions. */
export const BINDINGS_OF_ASKED: AboutAsked = {
  id: sql`DeviceKey.id`,
  columns: sql`DeviceKey.id, DeviceKey.created_at`,
  join: sql`LEFT JOIN DeviceKey ON DeviceKey.session_id = asked.value`,
};

type NewBinding = Binding & { key: DevicePublicKey; offeredAt: number; endsAt: number };

/**
 * The statement that binds a session if the session stands. It returns a row if it did. Each offer binds once: a session that is already
 * bound is bound again only by an offer made after the last binding.
 */
export function bind(
  db: D1Database,
  actor: Actor,
  { id, key, createdAt, offeredAt, endsAt }: NewBinding,
): D1PreparedStatement {
  const { userId, sessionId, epoch } = actor;
  return prepare(
    db,
    sql`INSERT INTO DeviceKey (id, session_id, user_id, epoch, public_key, created_at, expires_at)
        SELECT ${id}, ${sessionId}, User.id, ${epoch}, ${JSON.stringify(key)}, ${createdAt}, ${endsAt}
        FROM User WHERE User.id = ${userId} AND ${actorStands(actor)}
        ON CONFLICT (session_id) DO UPDATE
        SET id = excluded.id, public_key = excluded.public_key, created_at = excluded.created_at
        WHERE DeviceKey.created_at < ${offeredAt}
        RETURNING id`,
  );
}

/** Returns the key of a binding and whether its session stands, or `null` if there is no such binding. One query. */
export async function findBinding(
  db: D1Database,
  id: string,
): Promise<{ key: DevicePublicKey; stands: boolean } | null> {
  const row = await prepare(
    db,
    sql`SELECT public_key, User.session_epoch = DeviceKey.epoch AND DeviceKey.expires_at > ${Date.now()}
          AND ${notRevoked(sql`DeviceKey.session_id`)} AS stands
        FROM DeviceKey JOIN User ON User.id = DeviceKey.user_id WHERE DeviceKey.id = ${id}`,
  ).first<{ public_key: string; stands: number }>();
  return row && { key: JSON.parse(row.public_key) as DevicePublicKey, stands: row.stands === 1 };
}

/**
 * The statement that moves a binding to its browser's next session. It follows the rotation in its batch and takes effect only if the
 * rotation did.
 */
export function moveBinding(
  db: D1Database,
  sessionId: string,
  { epoch, successorId }: { epoch: number; successorId: string },
): D1PreparedStatement {
  return prepare(
    db,
    sql`UPDATE DeviceKey SET session_id = ${successorId}, epoch = ${epoch}
        WHERE session_id = ${sessionId}
          AND EXISTS (SELECT 1 FROM RevokedSession WHERE id = ${sessionId} AND replaced_by = ${successorId})`,
  );
}

/** The statement that records a use without device proof, at most once an hour per session. */
export function recordUnproven(
  db: D1Database,
  { userId, sessionId }: Pick<Actor, 'userId' | 'sessionId'>,
  origin: Origin,
): D1PreparedStatement {
  const now = Date.now();
  return recordEvent(
    db,
    { type: 'device-proof-failed', sessionId, ...origin, at: now },
    sql`User.id = ${userId} AND NOT EXISTS (
          SELECT 1 FROM SecurityEvent WHERE session_id = ${sessionId} AND type = 'device-proof-failed'
            AND at > ${now - UNPROVEN_NOTED_EVERY_MILLISECONDS})`,
  );
}

export function purgeBindings(db: D1Database, now: number): D1PreparedStatement {
  return prepare(
    db,
    sql`DELETE FROM DeviceKey WHERE id IN (SELECT id FROM DeviceKey WHERE expires_at <= ${now} LIMIT ${PURGE_ROWS_AT_ONCE})`,
  );
}
