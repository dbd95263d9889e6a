import type { InitializeAdapter, UserAdapter } from 'lucia';
import { insertUser, isDuplicate } from './keys';

/**
 * Users and keys in D1: `@lucia-auth/adapter-prisma` with its own `setUser`. Prisma's D1 adapter ignores transactions, so the stock
 * `setUser` can leave a user without a key. Here the two inserts are one `batch`, which D1 runs as a transaction. The first method that
 * needs Prisma imports it, because setting it up costs more than a page view.
 */
export function userAdapter(db: D1Database): InitializeAdapter<UserAdapter> {
  return (LuciaError) => {
    let loaded: Promise<UserAdapter> | undefined;
    const prisma = () =>
      (loaded ??= import('./prisma').then(({ prismaUsers }) => prismaUsers(db)(LuciaError)));

    return {
      getUser: async (userId) => (await prisma()).getUser(userId),

      async setUser(user, key) {
        try {
          await db.batch(insertUser(db, user, key));
        } catch (error) {
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
