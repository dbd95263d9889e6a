import type { KeySchema } from 'lucia';
import type { AuthOptions } from '$lib/server/auth';
import { userAdapter } from '$lib/server/accounts/user-adapter';

/** The app's user adapter, with the one Prisma read that signing in makes replaced by a statement. Used for most of the histories. */
export const plainUsers: NonNullable<AuthOptions['users']> = (db) => (LuciaError) => ({
  ...userAdapter(db)(LuciaError),
  getKey: (keyId) => db.prepare('SELECT * FROM Key WHERE id = ?1').bind(keyId).first<KeySchema>(),
});
