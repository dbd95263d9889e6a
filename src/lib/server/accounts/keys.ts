import type { KeySchema, UserAdapter } from 'lucia';
import { recordEvent } from '../sessions/activity';
import { type Account, type Actor, type Alongside, type Ledger, type Rotation } from '../sessions/ledger';
import { actorStands } from '../sessions/ledger-sql';
import { leftoverIn, markLeftovers, selectLateSessions, selectLeftover } from '../sessions/leftovers';
import type { Arrival } from '../sessions/ledger';
import type { Origin } from '../sessions/activity';
import { prepare, sql, type Sql } from '../stores/sql';
import { write } from '../stores/writes';
import type { Try } from '../throttle/throttle';
import { notOvertaken } from '../throttle/throttle-sql';
import { compareWithNothing, type PasswordHash } from './password';

/** The one kind of key here: a username with a password. */
const PROVIDER = 'username';

export const keyIdOf = (username: string) => `${PROVIDER}:${username}`;

/** A key with the hash that a password was compared with: what follows from the password is done only if it still has it. */
export type VerifiedKey = { id: string; hash: string; userId: string };

export type Keys = ReturnType<typeof createKeys>;

/**
 * What an account writes, each in one statement or one batch, with what the ledger writes of it: Prisma's D1 adapter ignores transactions.
 * A key is read through Lucia's user adapter, which is Prisma's.
 */
export function createKeys(
  db: D1Database,
  { users, ledger, passwordHash }: { users: UserAdapter; ledger: Ledger; passwordHash: PasswordHash },
) {
  return {
    ofUser: (username: string): Promise<KeySchema | null> => users.getKey(keyIdOf(username)),

    /**
     * The key, if the password is the one it was made with. No key takes as long as a wrong password: Lucia's own `useKey`
     * answers at once for a name it does not know, and so tells which names exist.
     */
    async verify(stored: KeySchema | null, password: string): Promise<VerifiedKey | null> {
      const hash = stored?.hashed_password;
      const matches = await (hash
        ? passwordHash.validate(password, hash)
        : compareWithNothing(passwordHash, password));
      return stored && hash && matches ? { id: stored.id, hash, userId: stored.user_id } : null;
    },

    /** Makes a user with a key, and what `alongside` records of it, or nothing. `taken`: somebody has that name. */
    async create(
      { id, username, hash }: { id: string; username: string; hash: string },
      alongside: D1PreparedStatement[],
    ): Promise<{ leftover: string | null } | 'taken'> {
      const key = { id: keyIdOf(username), user_id: id, hashed_password: hash };
      try {
        const results = await db.batch<object>(
          write('sign-up', [...insertUser(db, { id, username }, key), ...alongside, selectLeftover(db)]),
        );
        return { leftover: leftoverIn(results) };
      } catch (error) {
        if (isDuplicate(error)) return 'taken';
        throw error;
      }
    },

    /**
     * Completes a sign-in: returns the account with the epoch for its new session, and ends the session it replaces.
     * `changed`: the password was, since it was compared; `overtaken`: a block came before the answer. Then nothing
     * happened. The epoch is read together with the hash, so a sign-in with an old password cannot get the epoch of a
     * new one. `leftover`: the deleted user whose records the sign-in is to go on removing (`removeLeftovers`).
     */
    async admit(
      key: VerifiedKey,
      tried: Try,
      arrival: Arrival,
      alongside: D1PreparedStatement[],
    ): Promise<(Account & { leftover: string | null }) | 'changed' | 'overtaken'> {
      const account = prepare(
        db,
        sql`SELECT User.id, username, session_epoch AS epoch, ${notOvertaken(tried)} AS free
            FROM User JOIN Key ON Key.user_id = User.id WHERE Key.id = ${key.id} AND hashed_password = ${key.hash}`,
      );
      const results = await db.batch<Account & { free: number }>(
        write('sign-in', [
          account,
          ...ledger.arrive(arrival, sql`${keyHas(key)} AND ${notOvertaken(tried)}`),
          ...alongside,
          selectLeftover(db),
        ]),
      );
      const row = results[0]?.results[0];
      if (!row) return 'changed';
      if (row.free !== 1) return 'overtaken';
      return { id: row.id, username: row.username, epoch: row.epoch, leftover: leftoverIn(results) };
    },

    /**
     * Replaces a password hash and ends the other sessions, both or neither. A second change at the same
     * moment finds the old hash gone and is refused: false, and nothing happened.
     */
    async changePassword(
      actor: Actor,
      key: VerifiedKey,
      newHash: string,
      { rotation, alongside, origin }: { rotation: Rotation; alongside: Alongside; origin: Origin },
    ): Promise<boolean> {
      const { userId, sessionId } = actor;
      const event = { type: 'password-changed', sessionId, ...origin, at: Date.now() } as const;
      const holds = sql`${actorStands(actor)} AND ${alongside.condition}`;
      // A new hash has a fresh salt, so finding it there says that the second statement took effect.
      const changed = keyHas({ ...key, hash: newHash });
      const [, , raised] = await db.batch(
        write('change-password', [
          // The event first: that the old hash is there is what makes it one.
          recordEvent(db, event, sql`User.id = ${userId} AND ${keyHas(key)} AND ${holds}`),
          prepare(
            db,
            sql`UPDATE Key SET hashed_password = ${newHash}
                WHERE id = ${key.id} AND user_id = ${userId} AND hashed_password = ${key.hash} AND ${holds}`,
          ),
          ...ledger.rotate(actor, rotation, changed),
          ...alongside.statements,
        ]),
      );
      return raised?.meta.changes === 1;
    },

    /**
     * Deletes the user with keys, events and ledger rows (foreign keys cascade), and leaves a marker for the records in KV.
     * Returns the ids of the sessions that KV's list may not show yet (`removeLeftovers`); `null` if the actor no longer stands
     * or the password was changed, and then nothing happened.
     */
    async deleteAccount(actor: Actor, key: VerifiedKey): Promise<string[] | null> {
      const { userId } = actor;
      const now = Date.now();
      const holds = sql`User.id = ${userId} AND ${actorStands(actor)} AND ${keyHas(key)}`;
      const [late, , deleted] = await db.batch<{ session_id: string }>(
        write('delete-account', [
          selectLateSessions(db, userId, now),
          markLeftovers(db, now, holds),
          prepare(db, sql`DELETE FROM User WHERE ${holds}`),
        ]),
      );
      if (!late || !deleted || deleted.meta.changes === 0) return null;
      return late.results.map(({ session_id }) => session_id);
    },

    /** When the account was made, epoch milliseconds; `null` when there is none. */
    createdAt: (userId: string): Promise<number | null> =>
      prepare(db, sql`SELECT created_at FROM User WHERE id = ${userId}`).first<number>('created_at'),
  };
}

/** True while a key has the hash that a password was compared with. */
function keyHas({ id, hash }: VerifiedKey): Sql {
  return sql`EXISTS (SELECT 1 FROM Key WHERE id = ${id} AND hashed_password = ${hash})`;
}

/** The statements that make a user, with a key if one is given. */
export function insertUser(
  db: D1Database,
  { id, username }: { id: string; username: string },
  key: KeySchema | null,
): D1PreparedStatement[] {
  const user = prepare(db, sql`INSERT INTO User (id, username) VALUES (${id}, ${username})`);
  if (!key) return [user];
  const { hashed_password, user_id } = key;
  return [
    user,
    prepare(
      db,
      sql`INSERT INTO Key (id, user_id, hashed_password) VALUES (${key.id}, ${user_id}, ${hashed_password})`,
    ),
  ];
}

/** Whether D1 refused an insert because the name is taken: the username is the key, so either constraint says so. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed: (User\.username|Key\.id)/.test(error.message);
}
