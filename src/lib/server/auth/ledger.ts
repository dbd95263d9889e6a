import { randomInt } from 'node:crypto';
import { recordEvent, type EventType, type Origin } from './events';
import { ABSOLUTE_PERIOD_MILLISECONDS, EVENTS_KEPT_MILLISECONDS, PURGE_ROWS_AT_ONCE } from './policy';
import { countedIn, notOvertaken, type Try } from './throttle';

/**
 * What D1 knows of a user and of one of their sessions, at one moment. `replaced`: it was revoked because its own browser
 * goes on under another token.
 */
export type Standing = { username: string; epoch: number; revoked: boolean; replaced: boolean };

/** The session that asks for a change. A write that carries it happens only if that session still stands. */
export type Actor = { userId: string; sessionId: string; epoch: number };

export type Account = { id: string; username: string; epoch: number };

export type Ledger = ReturnType<typeof createLedger>;

/** SQL, true while the acting session is neither out of epoch nor revoked. Its values: `actorValues`, from ?n on. */
const actorStands = (n: number) => `EXISTS (SELECT 1 FROM User WHERE id = ?${n} AND session_epoch = ?${n + 1})
  AND NOT EXISTS (SELECT 1 FROM RevokedSession WHERE id = ?${n + 2})`;

const actorValues = ({ userId, epoch, sessionId }: Actor) => [userId, epoch, sessionId] as const;

/** SQL, true while a key has the hash that a password was compared with. Its values: the key's id and the hash. */
const keyHas = (n: number) => `EXISTS (SELECT 1 FROM Key WHERE id = ?${n} AND hashed_password = ?${n + 1})`;

/** A key with the hash that a password was compared with: what follows from the password is done only if it still has it. */
export type VerifiedKey = { id: string; hash: string };

/** A sign-in or sign-up: what is recorded of it, and the session of this browser that it replaces. */
export type Arrival = {
  type: EventType;
  userId: string;
  sessionId: string;
  origin: Origin;
  replaced: { userId: string; sessionId: string } | null;
};

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
             (SELECT reason FROM RevokedSession WHERE id = ?2) AS reason
           FROM User WHERE id = ?1`,
        )
        .bind(userId, sessionId)
        .first<{ username: string; epoch: number; reason: string | null }>();
      if (!row) return null;
      const { username, epoch, reason } = row;
      return { username, epoch, revoked: reason !== null, replaced: reason === 'replaced' };
    },

    /**
     * Lets a sign-in in: gives the account with the epoch its session is to carry, and ends the session it replaces.
     * `changed`: the password was, since it was compared; `overtaken`: a block came before the answer. Then nothing
     * happened. The epoch is read together with the hash, so a sign-in with an old password cannot get the epoch of a
     * new one.
     */
    async admit(
      key: VerifiedKey,
      tried: Try,
      arrival: Arrival,
      alongside: D1PreparedStatement[],
    ): Promise<Account | 'changed' | 'overtaken'> {
      const account = db
        .prepare(
          `SELECT User.id, username, session_epoch AS epoch, ${notOvertaken(3)} AS free
           FROM User JOIN Key ON Key.user_id = User.id WHERE Key.id = ?1 AND hashed_password = ?2`,
        )
        .bind(key.id, key.hash, countedIn(tried));
      const [found] = await db.batch<Account & { free: number }>([
        account,
        ...this.arrive(arrival, { key, tried }),
        ...alongside,
      ]);
      const row = found?.results[0];
      if (!row) return 'changed';
      return row.free === 1 ? { id: row.id, username: row.username, epoch: row.epoch } : 'overtaken';
    },

    /** The statements that record an arrival. With a proof they take effect only while that holds. */
    arrive(
      { type, userId, sessionId, origin, replaced }: Arrival,
      proof?: { key: VerifiedKey; tried: Try },
    ): D1PreparedStatement[] {
      const now = Date.now();
      const event = { type, sessionId, ...origin, at: now };
      const holds = (n: number) => (proof ? `AND ${keyHas(n)} AND ${notOvertaken(n + 2)}` : '');
      const proofValues = proof ? [proof.key.id, proof.key.hash, countedIn(proof.tried)] : [];
      return [
        recordEvent(db, event, `User.id = ?6 ${holds(7)}`, userId, ...proofValues),
        ...(replaced
          ? [
              db
                .prepare(
                  `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
                   SELECT ?1, id, ?3, ?4, 'replaced' FROM User WHERE id = ?2 ${holds(5)}
                   ON CONFLICT (id) DO UPDATE SET reason = 'replaced'`,
                )
                .bind(
                  replaced.sessionId,
                  replaced.userId,
                  now,
                  now + ABSOLUTE_PERIOD_MILLISECONDS,
                  ...proofValues,
                ),
            ]
          : []),
        ...purge(db, now),
      ];
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
     * Ends the session whose cookie this request carried; the token is the permission, so no actor is asked for. It also
     * ends one that this place's KV does not show yet, but only a `known` one is an event: anybody can make up a token.
     */
    async signOut(sessionId: string, userId: string, known: boolean, origin: Origin): Promise<void> {
      const now = Date.now();
      const event = { type: 'signed-out', sessionId, ...origin, at: now } as const;
      await db.batch([
        recordEvent(db, event, `User.id = ?6 AND ${notRevoked(7)} AND ?8`, userId, sessionId, Number(known)),
        db
          .prepare(
            `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
             SELECT ?1, id, ?3, ?4, 'signed-out' FROM User WHERE id = ?2
             ON CONFLICT (id) DO NOTHING`,
          )
          .bind(sessionId, userId, now, now + ABSOLUTE_PERIOD_MILLISECONDS),
      ]);
    },

    /**
     * Ends one session of the actor's user.
     * `ended`: it is now. `already`: it was. `replaced`: it was, and its browser goes on under another token.
     * `refused`: the acting session itself no longer stands.
     */
    async end(
      actor: Actor,
      sessionId: string,
      origin: Origin,
    ): Promise<'ended' | 'already' | 'replaced' | 'refused'> {
      const now = Date.now();
      const event = { type: 'session-revoked', sessionId, ...origin, at: now } as const;
      // The event first: that the session was not revoked yet is what makes it one.
      const recorded = recordEvent(
        db,
        event,
        `User.id = ?6 AND ${actorStands(6)} AND ${notRevoked(9)}`,
        ...actorValues(actor),
        sessionId,
      );
      const results = await db.batch<{ reason: string }>([
        recorded,
        db
          .prepare(
            `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
             SELECT ?4, ?1, ?5, ?6, 'revoked' WHERE ${actorStands(1)} AND ${notRevoked(4)}`,
          )
          .bind(...actorValues(actor), sessionId, now, now + ABSOLUTE_PERIOD_MILLISECONDS),
        db.prepare('SELECT reason FROM RevokedSession WHERE id = ?1').bind(sessionId),
      ]);
      const [, inserted, found] = results;
      if (inserted?.meta.changes === 1) return 'ended';
      const row = found?.results[0];
      if (!row) return 'refused';
      return row.reason === 'replaced' ? 'replaced' : 'already';
    },

    /**
     * Lets a session that was just stored take the acting one's place. False if that no longer stands: then the successor is
     * revoked at once, as KV may list its record for a while yet.
     */
    async replace(actor: Actor, successorId: string): Promise<boolean> {
      const now = Date.now();
      const end = now + ABSOLUTE_PERIOD_MILLISECONDS;
      const [, replaced] = await db.batch([
        db
          .prepare(
            `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
             SELECT ?4, id, ?5, ?6, 'replaced' FROM User WHERE id = ?1 AND NOT (${actorStands(1)})`,
          )
          .bind(...actorValues(actor), successorId, now, end),
        db
          .prepare(
            `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
             SELECT ?3, ?1, ?4, ?5, 'replaced' WHERE ${actorStands(1)}`,
          )
          .bind(...actorValues(actor), now, end),
      ]);
      return replaced?.meta.changes === 1;
    },

    /**
     * Ends every session of the actor's user in one write, by raising their epoch to `next` (`nextEpoch`).
     * False if the actor no longer stands; then nothing happened.
     */
    async endAll(
      actor: Actor,
      next: number,
      type: 'others-revoked' | 'all-revoked',
      origin: Origin,
    ): Promise<boolean> {
      const event = { type, sessionId: actor.sessionId, ...origin, at: Date.now() };
      const [, raised] = await db.batch([
        recordEvent(db, event, `User.id = ?6 AND ${actorStands(6)}`, ...actorValues(actor)),
        db
          .prepare(`UPDATE User SET session_epoch = ?4 WHERE id = ?1 AND ${actorStands(1)}`)
          .bind(...actorValues(actor), next),
        ...(type === 'others-revoked' ? [replacedIn(db, actor, next)] : []),
      ]);
      return raised?.meta.changes === 1;
    },

    /**
     * Replaces a password hash and ends every session as `endAll` does, both or neither. A second change at the same
     * moment finds the old hash gone and is refused: false, and nothing happened.
     */
    async changePassword(
      actor: Actor,
      key: VerifiedKey,
      newHash: string,
      next: number,
      origin: Origin,
    ): Promise<boolean> {
      const event = {
        type: 'password-changed',
        sessionId: actor.sessionId,
        ...origin,
        at: Date.now(),
      } as const;
      const [, raised] = await db.batch([
        db
          .prepare(
            `UPDATE Key SET hashed_password = ?6
             WHERE id = ?4 AND user_id = ?1 AND hashed_password = ?5 AND ${actorStands(1)}`,
          )
          .bind(...actorValues(actor), key.id, key.hash, newHash),
        // A new hash has a fresh salt, so finding it there says that the statement before took effect.
        db
          .prepare(`UPDATE User SET session_epoch = ?4 WHERE id = ?1 AND ${keyHas(2)}`)
          .bind(actor.userId, key.id, newHash, next),
        recordEvent(db, event, `User.id = ?6 AND ${keyHas(7)}`, actor.userId, key.id, newHash),
        replacedIn(db, actor, next),
      ]);
      return raised?.meta.changes === 1;
    },

    /**
     * Deletes the user with keys, events and ledger rows (foreign keys cascade).
     * False if the actor no longer stands or the password was changed; then nothing happened.
     */
    async deleteAccount(actor: Actor, key: VerifiedKey): Promise<boolean> {
      const { meta } = await db
        .prepare(`DELETE FROM User WHERE id = ?1 AND ${actorStands(1)} AND ${keyHas(4)}`)
        .bind(...actorValues(actor), key.id, key.hash)
        .run();
      return meta.changes > 0;
    },
  };
}

/** Notes that the acting session's browser goes on under another token, if the batch before it raised the epoch to `next`. */
function replacedIn(db: D1Database, { userId, sessionId }: Actor, next: number): D1PreparedStatement {
  const now = Date.now();
  return db
    .prepare(
      `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
       SELECT ?2, id, ?3, ?4, 'replaced' FROM User WHERE id = ?1 AND session_epoch = ?5
       ON CONFLICT (id) DO NOTHING`,
    )
    .bind(userId, sessionId, now, now + ABSOLUTE_PERIOD_MILLISECONDS, next);
}

/** Small enough for millions of raises before an integer that JavaScript holds exactly is too small. */
const EPOCH_STEP_MAX = 2 ** 20;

/**
 * A later epoch: by a random step, so that no two raises arrive at the same one. The session that goes on in it can then
 * be stored while the ledger is being asked to raise it: if it refuses, or never hears of it, that record is in no epoch
 * that ever comes.
 */
export function nextEpoch(epoch: number): number {
  return epoch + 1 + randomInt(EPOCH_STEP_MAX);
}

const notRevoked = (n: number) => `NOT EXISTS (SELECT 1 FROM RevokedSession WHERE id = ?${n})`;

/** What is past its time goes with the next sign-in, some rows at a time: Pages has no cron. */
function purge(db: D1Database, now: number): D1PreparedStatement[] {
  const expired = [
    ['RevokedSession', 'expires_at', now],
    ['SecurityEvent', 'at', now - EVENTS_KEPT_MILLISECONDS],
  ] as const;
  return expired.map(([table, column, time]) =>
    db
      .prepare(
        `DELETE FROM ${table} WHERE id IN
           (SELECT id FROM ${table} WHERE ${column} <= ?1 LIMIT ${PURGE_ROWS_AT_ONCE})`,
      )
      .bind(time),
  );
}
