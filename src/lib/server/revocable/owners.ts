/**
 * The kit's table of users. The app's ledger keeps a user's epoch in its own table `User`. With the kit, users may live in any store, and
 * the same D1 may contain somebody else's `User` table. So the kit uses `SessionOwner`, with the columns of `User` that the ledger reads.
 */
import { nextEpoch } from '../sessions/epoch';
import { prepare, sql } from '../stores/sql';

const USER = /\bUser\b/g;

/** Wraps D1 so that statements about `User` use `SessionOwner` instead. All values are bound, so the text contains none. */
export function withOwners(db: D1Database): D1Database {
  return new Proxy(db, {
    get(target, name) {
      if (name === 'prepare') return (text: string) => target.prepare(text.replace(USER, 'SessionOwner'));
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/**
 * The statement that records a user at a sign-in and returns the epoch of the new session. A user who was forgotten starts in an epoch that
 * they never had: the first epoch is the time in microseconds, and a raise adds at most about a second.
 */
export function admit(db: D1Database, userId: string, name: string): D1PreparedStatement {
  return prepare(
    db,
    sql`INSERT INTO User (id, username, session_epoch) VALUES (${userId}, ${name}, ${nextEpoch(Date.now() * 1_000)})
        ON CONFLICT (id) DO UPDATE SET username = excluded.username
        RETURNING session_epoch AS epoch`,
  );
}

/** The statement that deletes a user with everything the ledger has of them. After that, none of their sessions stands. */
export function forget(db: D1Database, userId: string): D1PreparedStatement {
  return prepare(db, sql`DELETE FROM User WHERE id = ${userId}`);
}
