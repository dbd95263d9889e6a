import type { AuthOptions } from '$lib/server/sessions/lucia';
import { userAdapter } from '$lib/server/accounts/user-adapter';
import type { KeySchema } from 'lucia';

/** The app's user adapter with the one Prisma read that signing in makes as a statement: for the bulk of the histories. */
export const plainUsers: NonNullable<AuthOptions['users']> = (db, alongSignUp) => (LuciaError) => ({
  ...userAdapter(db, alongSignUp)(LuciaError),
  getKey: (keyId) => db.prepare('SELECT * FROM Key WHERE id = ?1').bind(keyId).first<KeySchema>(),
});
