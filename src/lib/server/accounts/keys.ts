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

/** The only kind of key here: a username with a password. */
const PROVIDER = 'username';

export const keyIdOf = (username: string) => `${PROVIDER}:${username}`;

/** A key with the hash that the password was compared with. Later writes take effect only if the key still has this hash. */
export type VerifiedKey = { id: string; hash: string; userId: string };

export type Keys = ReturnType<typeof createKeys>;

/**
 * The writes of an account. Each is one statement or one batch that includes the ledger's writes, because Prisma's D1 adapter ignores
 * transactions. Keys are read through Lucia's user adapter, which uses Prisma.
 */
export function createKeys(
  db: D1Database,
  { users, ledger, passwordHash }: { users: UserAdapter; ledger: Ledger; passwordHash: PasswordHash },
) {
  return {
    ofUser: (username: string): Promise<KeySchema | null> => users.getKey(keyIdOf(username)),

    /**
     * Returns the key if the password matches it. A missing key takes as long as a wrong password. Lucia's own `useKey` returns at once for
     * an unknown name and so reveals which names exist.
     */
    async verify(stored: KeySchema | null, password: string): Promise<VerifiedKey | null> {
      const hash = stored?.hashed_password;
      const matches = await (hash
        ? passwordHash.validate(password, hash)
        : compareWithNothing(passwordHash, password));
      return stored && hash && matches ? { id: stored.id, hash, userId: stored.user_id } : null;
    },

    /** Creates a user with a key and runs `alongside` in the same batch: all of it or nothing. `taken`: the name is in use. */
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
     * Completes a sign-in: returns the account with the epoch for its new session, and ends the session it replaces. `changed`: the
     * password has changed since it was compared. `overtaken`: a block began before this write. In both cases nothing happens. The epoch is
     * read together with the hash, so a sign-in with an old password cannot get the epoch that a new one raised. `leftover`: a deleted user
     * whose records this sign-in should continue to remove (`removeLeftovers`).
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
     * Replaces a password hash and ends the other sessions: both or neither. Of two changes at the same moment, the second finds the old
     * hash gone and is refused: it returns false and nothing happens.
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
      // A new hash has a fresh salt, so finding it proves that the second statement took effect.
      const changed = keyHas({ ...key, hash: newHash });
      const [, , raised] = await db.batch(
        write('change-password', [
          // The event comes first: its condition requires the old hash.
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
     * Deletes the user with keys, events and ledger rows (foreign keys cascade), and leaves a marker for the records in KV. Returns the ids
     * of the sessions that KV's list may not show yet (`removeLeftovers`). `null` if the actor no longer stands or the password has
     * changed; then nothing happens.
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

    /** When the account was created, in epoch milliseconds, or `null` if there is none. */
    createdAt: (userId: string): Promise<number | null> =>
      prepare(db, sql`SELECT created_at FROM User WHERE id = ${userId}`).first<number>('created_at'),
  };
}

/** True while the key still has the hash that a password was compared with. */
function keyHas({ id, hash }: VerifiedKey): Sql {
  return sql`EXISTS (SELECT 1 FROM Key WHERE id = ${id} AND hashed_password = ${hash})`;
}

/** The statements that create a user, with a key if one is given. */
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

/** Whether D1 refused an insert because the name is taken. The key is built from the username, so either constraint may report it. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed: (User\.username|Key\.id)/.test(error.message);
}
