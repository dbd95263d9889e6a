import type { InitializeAdapter, UserAdapter } from 'lucia';

/** What goes into the batch of a sign-up; `results` is set once that is done. */
export type AlongSignUp = { statements: D1PreparedStatement[]; results: D1Result<object>[] };

/**
 * Users and keys in D1: `@lucia-auth/adapter-prisma`, but for `setUser`. Prisma's D1 adapter ignores transactions,
 * so the stock one can leave a user without a key; here the two inserts are one `batch`, which D1 runs as a transaction.
 * `alongSignUp` goes into that batch: what is recorded of a sign-up. Prisma is imported by the first method that needs it: setting it up costs more than a page view.
 */
export function userAdapter(
  db: D1Database,
  alongSignUp: AlongSignUp = { statements: [], results: [] },
): InitializeAdapter<UserAdapter> {
  return (LuciaError) => {
    let loaded: Promise<UserAdapter> | undefined;
    const prisma = () =>
      (loaded ??= import('./prisma').then(({ prismaUsers }) => prismaUsers(db)(LuciaError)));

    return {
      getUser: async (userId) => (await prisma()).getUser(userId),

      async setUser(user, key) {
        const statements = [
          db.prepare('INSERT INTO User (id, username) VALUES (?1, ?2)').bind(user.id, user.username),
        ];
        if (key) {
          statements.push(
            db
              .prepare('INSERT INTO Key (id, user_id, hashed_password) VALUES (?1, ?2, ?3)')
              .bind(key.id, key.user_id, key.hashed_password),
          );
        }
        try {
          const results = await db.batch<object>([...statements, ...alongSignUp.statements]);
          alongSignUp.results = results.slice(statements.length);
        } catch (error) {
          // The username is the key, so a username that is taken is a key that exists.
          if (isDuplicate(error)) throw new LuciaError('AUTH_DUPLICATE_KEY_ID');
          throw error;
        }
      },

      updateUser: async (userId, partialUser) => (await prisma()).updateUser(userId, partialUser),
      deleteUser: async (userId) => (await prisma()).deleteUser(userId),
      getKey: async (keyId) => (await prisma()).getKey(keyId),
      getKeysByUserId: async (userId) => (await prisma()).getKeysByUserId(userId),
      setKey: async (key) => (await prisma()).setKey(key),
      updateKey: async (keyId, partialKey) => (await prisma()).updateKey(keyId, partialKey),
      deleteKey: async (keyId) => (await prisma()).deleteKey(keyId),
      deleteKeysByUserId: async (userId) => (await prisma()).deleteKeysByUserId(userId),
    };
  };
}

function isDuplicate(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed: (User\.username|Key\.id)/.test(error.message);
}
