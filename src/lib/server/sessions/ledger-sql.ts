/** The SQL of the ledger: conditions, and the statements that its batches are made of. */
import { join, prepare, sql, type Sql } from '../stores/sql';
import { ABSOLUTE_PERIOD_MILLISECONDS, EVENTS_STORED_MILLISECONDS, PURGE_ROWS_AT_ONCE } from '../policy';
import { BIRTHS, type Origin } from './activity';
import { lineOf } from './line';
import type { Actor, Rotation } from './ledger';
import type { Reason } from './standing';

/** The rule of `stands` in SQL, for a session that was just confirmed: true while it is neither out of epoch nor revoked. */
export function actorStands({ userId, sessionId, epoch }: Actor): Sql {
  return sql`(EXISTS (SELECT 1 FROM User WHERE id = ${userId} AND session_epoch = ${epoch}) AND ${notRevoked(sessionId)})`;
}

export function notRevoked(sessionId: string | Sql): Sql {
  return sql`NOT EXISTS (SELECT 1 FROM RevokedSession WHERE id = ${sessionId})`;
}

/**
 * True for a session that there has been: KV shows it, or D1 saw its birth, in a sign-in, a sign-up or a rotation. Anybody can make up
 * an id of the right form; a made-up one must leave no row. `hasEvents`: whether D1 can be asked for sign-ins.
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
  /** Of a rotation: the session that its browser goes on as. */
  replacedBy?: string;
};

/**
 * The statement that ends a session of an existing user if `condition` holds; it returns the id of what it ended. A session that ended
 * before and is `replaced` now is noted as that, so that no late answer takes the new cookie away.
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

/** A session that is to be ended, and whether KV shows its record. */
export type Asked = { id: string; shown: boolean };

/**
 * The statements that end several sessions of the actor's user, however many: those of them that there have been and that have not ended. The
 * last one returns whether the actor stands, and the ids of what ended at this moment (`now`, epoch milliseconds), also if it is sent again.
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
    // The events first: that a session was not revoked yet is what makes one.
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
 * The statement that raises the actor's epoch to `next` if `condition` holds. It changes a row also if it took effect before: so it may be sent
 * again, and says the same. It only ever raises the epoch that the actor has: one that arrives late takes no later end back.
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
 * The statements that raise the epoch if `condition` holds, and then note as what session this browser goes on. The first one changes a row if it
 * took effect.
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

/** What is past its time goes with the next sign-in, some rows at a time: Pages has no cron. */
export function purge(db: D1Database, now: number): D1PreparedStatement[] {
  const some = PURGE_ROWS_AT_ONCE;
  const events = now - EVENTS_STORED_MILLISECONDS;
  return [
    sql`DELETE FROM RevokedSession WHERE id IN (SELECT id FROM RevokedSession WHERE expires_at <= ${now} LIMIT ${some})`,
    sql`DELETE FROM SecurityEvent WHERE id IN (SELECT id FROM SecurityEvent WHERE at <= ${events} LIMIT ${some})`,
  ].map((query) => prepare(db, query));
}
