import type { InitializeAdapter, UserAdapter } from 'lucia';
import { insertUser, isDuplicate } from './keys';

/**
 * Users and keys in D1: `@lucia-auth/adapter-prisma` with its own `setUser`. Prisma's D1 adapter ignores transactions, so the stock
 * `setUser` can leave a user without a key. Here the two inserts are one `batch`, which D1 runs as a transaction. Prisma is imported only
 * when a method needs it, because loading it costs more than a page view.
 */
export function userAdapter(db: D1Database): InitializeAdapter<UserAdapter> {
  return (LuciaError) => {
    const prisma = async <T>(use: (users: UserAdapter) => Promise<T>): Promise<T> => {
      const { lendPrismaUsers } = await import('./prisma');
      return lendPrismaUsers(db, (users) => use(users(LuciaError)));
    };

    return {
      getUser: (userId) => prisma((users) => users.getUser(userId)),

      async setUser(user, key) {
        try {
          await db.batch(insertUser(db, user, key));
        } catch (error) {
          if (isDuplicate(error)) throw new LuciaError('AUTH_DUPLICATE_KEY_ID');
          throw error;
        }
      },

      updateUser: (userId, partialUser) => prisma((users) => users.updateUser(userId, partialUser)),
      deleteUser: (userId) => prisma((users) => users.deleteUser(userId)),
      getKey: (keyId) => prisma((users) => users.getKey(keyId)),
      getKeysByUserId: (userId) => prisma((users) => users.getKeysByUserId(userId)),
      setKey: (key) => prisma((users) => users.setKey(key)),
      updateKey: (keyId, partialKey) => prisma((users) => users.updateKey(keyId, partialKey)),
      deleteKey: (keyId) => prisma((users) => users.deleteKey(keyId)),
      deleteKeysByUserId: (userId) => prisma((users) => users.deleteKeysByUserId(userId)),
    };
  };
}
