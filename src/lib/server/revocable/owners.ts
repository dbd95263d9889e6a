/**
 * The kit's table of users. The app's ledger keeps a user's epoch in its own table `User`; here users may be in any store, and a table `User` of
 * somebody else's in the same D1. So the kit has `SessionOwner`, with those columns of `User` that the ledger reads.
 */
import { nextEpoch } from '../sessions/epoch';
import { prepare, sql } from '../stores/sql';

const USER = /\bUser\b/g;

/** The same D1, in which the ledger's statements find `SessionOwner` where they say `User`. All values are bound, so none is in the text. */
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
 * The statement that notes a user at a sign-in, and returns the epoch of the new session. One who was forgotten begins in an epoch that
 * they never had: the first is the time in microseconds, and a raise adds about a second at most.
 */
export function admit(db: D1Database, userId: string, name: string): D1PreparedStatement {
  return prepare(
    db,
    sql`INSERT INTO User (id, username, session_epoch) VALUES (${userId}, ${name}, ${nextEpoch(Date.now() * 1_000)})
        ON CONFLICT (id) DO UPDATE SET username = excluded.username
        RETURNING session_epoch AS epoch`,
  );
}

/** The statement that forgets a user with all that the ledger has of them: no session of theirs stands then. */
export function forget(db: D1Database, userId: string): D1PreparedStatement {
  return prepare(db, sql`DELETE FROM User WHERE id = ${userId}`);
}
