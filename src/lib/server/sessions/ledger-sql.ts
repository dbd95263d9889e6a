/** The SQL of the ledger: its conditions, and the statements in its batches. */
import { join, prepare, sql, type Sql } from '../stores/sql';
import { ABSOLUTE_PERIOD_MILLISECONDS, EVENTS_STORED_MILLISECONDS, PURGE_ROWS_AT_ONCE } from '../policy';
import { BIRTHS, type Origin } from './activity';
import { lineOf } from './line';
import type { Actor, Rotation } from './ledger';
import type { Reason } from './standing';

/** The rule of `stands` in SQL, for a session that was just confirmed: true while its epoch is current and it is not revoked. */
export function actorStands({ userId, sessionId, epoch }: Actor): Sql {
  return sql`(EXISTS (SELECT 1 FROM User WHERE id = ${userId} AND session_epoch = ${epoch}) AND ${notRevoked(sessionId)})`;
}

export function notRevoked(sessionId: string | Sql): Sql {
  return sql`NOT EXISTS (SELECT 1 FROM RevokedSession WHERE id = ${sessionId})`;
}

/**
 * True for a session that exists or existed: KV shows it, or D1 recorded its birth in a sign-in, a sign-up or a rotation. Anybody can make
 * up an id of the right form, and a made-up id must not leave a row. `hasEvents`: whether D1 can be asked for sign-ins.
 */
export function isKnown(sessionId: string | Sql, shown: boolean | Sql, hasEvents = true): Sql {
  const born = sql`EXISTS (SELECT 1 FROM SecurityEvent
               WHERE session_id = ${sessionId} AND type IN (${join([...BIRTHS])}))`;
  return sql`(${typeof shown === 'boolean' ? Number(shown) : shown}
    OR ${hasEvents ? born : sql`FALSE`}
    OR EXISTS (SELECT 1 FROM RevokedSession WHERE replaced_by = ${sessionId}))`;
}

type Revocation = {
  /** The session, or SQL that finds it. */
  id: string | Sql;
  userId: string;
  reason: Reason;
  /** For a rotation: the session that the browser moves on to. */
  replacedBy?: string;
};

/**
 * The statement that ends a session of an existing user if `condition` holds. It returns the id of the session it ended. If a session ended
 * before and is now `replaced`, its reason is updated, so that a late response does not remove the new cookie.
 */
export function revoke(
  db: D1Database,
  { id, userId, reason, replacedBy }: Revocation,
  condition: Sql,
): D1PreparedStatement {
  const now = Date.now();
  const line = replacedBy ? lineOf(id) : null;
  return prepare(
    db,
    sql`INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason, replaced_by, line)
        SELECT ${id}, User.id, ${now}, ${now + ABSOLUTE_PERIOD_MILLISECONDS}, ${reason}, ${replacedBy ?? null}, ${line}
        FROM User WHERE User.id = ${userId} AND ${condition}
        ON CONFLICT (id) DO UPDATE SET reason = excluded.reason WHERE excluded.reason = 'replaced'
        RETURNING id`,
  );
}

/** A session to end, and whether KV shows its record. */
export type Asked = { id: string; shown: boolean };

/**
 * The statements that end several sessions of the actor's user, however many. They end only sessions that existed and have not ended yet.
 * The last statement returns whether the actor stands, and the ids that ended at this moment (`now`, epoch milliseconds). It returns the
 * same if the batch is sent again.
 */
export function revokeAllOf(
  db: D1Database,
  actor: Actor,
  asked: Asked[],
  origin: Origin,
  hasEvents: boolean,
): D1PreparedStatement[] {
  const now = Date.now();
  const rows = sql`json_each(${JSON.stringify(asked.map(({ id, shown }) => [id, Number(shown)]))}) AS asked`;
  const id = sql`(asked.value ->> 0)`;
  const holds = sql`User.id = ${actor.userId} AND ${actorStands(actor)} AND ${notRevoked(id)} AND ${isKnown(id, sql`(asked.value ->> 1)`, hasEvents)}`;
  const { device, place } = origin;
  return [
    // The event comes first: its condition requires that the session is not revoked yet.
    hasEvents
      ? sql`INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at)
            SELECT User.id, 'session-revoked', ${id}, ${JSON.stringify(device)}, ${JSON.stringify(place)}, ${now}
            FROM User, ${rows} WHERE ${holds}`
      : sql`SELECT 1`,
    sql`INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
        SELECT ${id}, User.id, ${now}, ${now + ABSOLUTE_PERIOD_MILLISECONDS}, 'revoked'
        FROM User, ${rows} WHERE ${holds}
        ON CONFLICT (id) DO NOTHING`,
    sql`SELECT ${actorStands(actor)} AS stands,
          (SELECT json_group_array(id) FROM RevokedSession
           WHERE reason = 'revoked' AND revoked_at = ${now} AND id IN (SELECT ${id} FROM ${rows})) AS ended`,
  ].map((query) => prepare(db, query));
}

/**
 * The statement that raises the actor's epoch to `next` if `condition` holds. It also changes a row if it took effect before, so it may be
 * sent again and reports the same. It only raises the epoch that the actor has, so a late one never undoes a later raise.
 */
export function raiseEpoch(
  db: D1Database,
  { userId, epoch }: Actor,
  next: number,
  condition: Sql,
): D1PreparedStatement {
  return prepare(
    db,
    sql`UPDATE User SET session_epoch = ${next}
        WHERE id = ${userId} AND ((session_epoch = ${epoch} AND ${condition}) OR session_epoch = ${next})`,
  );
}

/**
 * The statements that raise the epoch if `condition` holds, and then record the session that this browser moves on to. The first statement
 * changes a row if it took effect.
 */
export function rotate(
  db: D1Database,
  actor: Actor,
  { next, successorId }: Rotation,
  condition: Sql,
): D1PreparedStatement[] {
  const { userId, sessionId } = actor;
  const revocation = { id: sessionId, userId, reason: 'replaced', replacedBy: successorId } as const;
  return [raiseEpoch(db, actor, next, condition), revoke(db, revocation, sql`session_epoch = ${next}`)];
}

/** The statements that delete expired rows, some per sign-in. Pages has no cron. */
export function purge(db: D1Database, now: number): D1PreparedStatement[] {
  const some = PURGE_ROWS_AT_ONCE;
  const events = now - EVENTS_STORED_MILLISECONDS;
  return [
    sql`DELETE FROM RevokedSession WHERE id IN (SELECT id FROM RevokedSession WHERE expires_at <= ${now} LIMIT ${some})`,
    sql`DELETE FROM SecurityEvent WHERE id IN (SELECT id FROM SecurityEvent WHERE at <= ${events} LIMIT ${some})`,
  ].map((query) => prepare(db, query));
}
