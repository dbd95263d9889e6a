import { ABSOLUTE_PERIOD_MILLISECONDS } from './policy';

/** Why a session ended, as the ledger and the activity page say it. */
export type EndReason = 'signed-out' | 'revoked' | 'replaced';

/** What D1 knows of a user and of one of their sessions, at one moment. */
export type Standing = { username: string; epoch: number; revoked: boolean };

/** The session that asks for a change. A write that carries it happens only if that session still stands. */
export type Actor = { userId: string; sessionId: string; epoch: number };

export type Account = { id: string; username: string; epoch: number };

export type Ledger = ReturnType<typeof createLedger>;

const PURGE_ROWS_AT_ONCE = 100;

/** True while the acting session (?user, ?epoch, ?session) is neither out of epoch nor revoked. */
const ACTOR_STANDS = `EXISTS (SELECT 1 FROM User WHERE id = ?1 AND session_epoch = ?2)
  AND NOT EXISTS (SELECT 1 FROM RevokedSession WHERE id = ?3)`;

/**
 * The revocation ledger: which sessions have ended, in D1, where a write is seen by every later read.
 * KV decides what might be a session; this decides what still is one. Each write is one statement or one batch
 * (a transaction), and checks in the same breath that the session asking for it still stands.
 */
export function createLedger(db: D1Database) {
  return {
    /** One query: the user's epoch and whether this session was revoked; `null` when there is no such user. */
    async standing(userId: string, sessionId: string): Promise<Standing | null> {
      const row = await db
        .prepare(
          `SELECT username, session_epoch AS epoch,
             EXISTS (SELECT 1 FROM RevokedSession WHERE id = ?2) AS revoked
           FROM User WHERE id = ?1`,
        )
        .bind(userId, sessionId)
        .first<{ username: string; epoch: number; revoked: number }>();
      return row && { username: row.username, epoch: row.epoch, revoked: row.revoked === 1 };
    },

    /** The user of that name with the epoch a sign-in that starts now belongs to. */
    async accountByUsername(username: string): Promise<Account | null> {
      return db
        .prepare('SELECT id, username, session_epoch AS epoch FROM User WHERE username = ?1')
        .bind(username)
        .first<Account>();
    },

    /** When the account was made, epoch milliseconds. */
    async accountCreatedAt(userId: string): Promise<number | null> {
      return db.prepare('SELECT created_at FROM User WHERE id = ?1').bind(userId).first<number>('created_at');
    },

    /** The ids of this user's revoked sessions. */
    async revokedIds(userId: string): Promise<Set<string>> {
      const { results } = await db
        .prepare('SELECT id FROM RevokedSession WHERE user_id = ?1')
        .bind(userId)
        .all<{ id: string }>();
      return new Set(results.map(({ id }) => id));
    },

    /**
     * Ends the session whose cookie this request carried; the token is the permission, so no actor is asked for.
     * It needs no KV read, so it also ends a session that this place's KV does not show yet.
     */
    async endOwn(sessionId: string, userId: string, reason: EndReason): Promise<void> {
      const now = Date.now();
      await db.batch([
        db
          .prepare(
            `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
             SELECT ?1, id, ?3, ?4, ?5 FROM User WHERE id = ?2
             ON CONFLICT (id) DO NOTHING`,
          )
          .bind(sessionId, userId, now, now + ABSOLUTE_PERIOD_MILLISECONDS, reason),
        purge(db, now),
      ]);
    },

    /**
     * Ends one session of the actor's user.
     * `ended`: it is revoked now. `already`: it was. `refused`: the acting session itself no longer stands.
     */
    async end(actor: Actor, sessionId: string, reason: EndReason): Promise<'ended' | 'already' | 'refused'> {
      const now = Date.now();
      const [insert, found] = await db.batch([
        db
          .prepare(
            `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
             SELECT ?4, ?1, ?5, ?6, ?7 WHERE ${ACTOR_STANDS}
             ON CONFLICT (id) DO NOTHING`,
          )
          .bind(
            actor.userId,
            actor.epoch,
            actor.sessionId,
            sessionId,
            now,
            now + ABSOLUTE_PERIOD_MILLISECONDS,
            reason,
          ),
        db.prepare('SELECT 1 FROM RevokedSession WHERE id = ?1').bind(sessionId),
        purge(db, now),
      ]);
      if (insert?.meta.changes === 1) return 'ended';
      return found?.results.length ? 'already' : 'refused';
    },

    /** Ends every session of the actor's user in one write. Gives the new epoch, or `null` if the actor no longer stands. */
    async endAll(actor: Actor): Promise<number | null> {
      const row = await db
        .prepare(
          `UPDATE User SET session_epoch = session_epoch + 1 WHERE id = ?1 AND ${ACTOR_STANDS}
           RETURNING session_epoch AS epoch`,
        )
        .bind(actor.userId, actor.epoch, actor.sessionId)
        .first<{ epoch: number }>();
      return row?.epoch ?? null;
    },

    /**
     * Replaces a password hash and ends every session, both or neither. `oldHash` is the hash that the current
     * password was checked against: a second change at the same moment finds it gone and is refused.
     * Gives the new epoch, or `null`.
     */
    async changePassword(
      actor: Actor,
      keyId: string,
      oldHash: string,
      newHash: string,
    ): Promise<number | null> {
      const [, raised] = await db.batch<{ epoch: number }>([
        db
          .prepare(
            `UPDATE Key SET hashed_password = ?6
             WHERE id = ?4 AND user_id = ?1 AND hashed_password = ?5 AND ${ACTOR_STANDS}`,
          )
          .bind(actor.userId, actor.epoch, actor.sessionId, keyId, oldHash, newHash),
        // A new hash has a fresh salt, so finding it there says that the statement before took effect.
        db
          .prepare(
            `UPDATE User SET session_epoch = session_epoch + 1
             WHERE id = ?1 AND EXISTS (SELECT 1 FROM Key WHERE id = ?2 AND hashed_password = ?3)
             RETURNING session_epoch AS epoch`,
          )
          .bind(actor.userId, keyId, newHash),
      ]);
      return raised?.results[0]?.epoch ?? null;
    },

    /** Deletes the user with keys and ledger rows (foreign keys cascade). False if the actor no longer stands or the password changed. */
    async deleteAccount(actor: Actor, keyId: string, hash: string): Promise<boolean> {
      const { meta } = await db
        .prepare(
          `DELETE FROM User WHERE id = ?1 AND ${ACTOR_STANDS}
             AND EXISTS (SELECT 1 FROM Key WHERE id = ?4 AND hashed_password = ?5)`,
        )
        .bind(actor.userId, actor.epoch, actor.sessionId, keyId, hash)
        .run();
      return meta.changes > 0;
    },
  };
}

/** Rows of sessions that could not live any more go with the next write: Pages has no cron. */
function purge(db: D1Database, now: number) {
  return db
    .prepare(
      `DELETE FROM RevokedSession WHERE id IN
         (SELECT id FROM RevokedSession WHERE expires_at <= ?1 LIMIT ${PURGE_ROWS_AT_ONCE})`,
    )
    .bind(now);
}
