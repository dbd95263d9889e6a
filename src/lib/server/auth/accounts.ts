import { LuciaError, type Session } from 'lucia';
import type { Auth } from './lucia';
import { compareWithNothing } from './password';
import {
  actorOf,
  continueInEpoch,
  leaveWithAll,
  listOthers,
  startSession,
  type SessionEvent,
} from './sessions';
import { toSignIn } from './guards';

/** The one kind of key here: a username with a password. */
const PROVIDER = 'username';

/** Makes an account and signs this browser in. `taken`: somebody has that name. User and key are one atomic write. */
export async function signUp(
  event: SessionEvent,
  username: string,
  password: string,
): Promise<'signed-in' | 'taken'> {
  const { lucia } = event.locals.auth;
  let userId: string;
  try {
    const user = await lucia.createUser({
      key: { providerId: PROVIDER, providerUserId: username, password },
      attributes: { username },
    });
    userId = user.userId;
  } catch (error) {
    if (isLuciaError(error, 'AUTH_DUPLICATE_KEY_ID')) return 'taken';
    throw error;
  }
  await startSession(event, { id: userId, username, epoch: 0 });
  return 'signed-in';
}

/** Signs this browser in. `refused` says neither whether the name exists nor what was wrong (ASVS 6.3.8). */
export async function signIn(
  event: SessionEvent,
  username: string,
  password: string,
): Promise<'signed-in' | 'refused'> {
  const { auth } = event.locals;
  // The epoch is read before the password hash: a password change in between raises the epoch, and so ends what a
  // sign-in with the old password is about to make.
  const account = await auth.ledger.accountByUsername(username);
  const userId = await userIdByPassword(auth, username, password);
  if (!account || account.id !== userId) return 'refused';
  await startSession(event, account);
  return 'signed-in';
}

/**
 * Changes the password and ends every other session; this browser goes on under a new token.
 * `wrong-password`: the current password is not that. `endedOthers` is `null` when KV could not list them.
 */
export async function changePassword(
  event: SessionEvent,
  current: Session,
  currentPassword: string,
  newPassword: string,
): Promise<'wrong-password' | { endedOthers: number | null }> {
  const { auth } = event.locals;
  const key = await verifyPassword(auth, current, currentPassword);
  if (!key) return 'wrong-password';
  const newHash = await auth.passwordHash.generate(newPassword);
  const [epoch, others] = await Promise.all([
    auth.ledger.changePassword(actorOf(current), key.id, key.hash, newHash),
    listOthers(auth, current),
  ]);
  if (epoch === null) toSignIn(event);
  await continueInEpoch(event, current, epoch, others);
  return { endedOthers: others && others.length };
}

/** Deletes the account with all that belongs to it, and ends every session. `wrong-password`: nothing happened. */
export async function deleteAccount(
  event: SessionEvent,
  current: Session,
  password: string,
): Promise<'wrong-password' | 'deleted'> {
  const { auth } = event.locals;
  const key = await verifyPassword(auth, current, password);
  if (!key) return 'wrong-password';
  const others = await listOthers(auth, current);
  if (!(await auth.ledger.deleteAccount(actorOf(current), key.id, key.hash))) toSignIn(event);
  leaveWithAll(event, current, others);
  return 'deleted';
}

/** The user's key with the hash that the password was compared with, or `null` if it does not match. */
async function verifyPassword(
  { users, passwordHash }: Auth,
  { user }: Session,
  password: string,
): Promise<{ id: string; hash: string } | null> {
  const key = await users.getKey(`${PROVIDER}:${user.username}`);
  const hash = key?.hashed_password;
  if (!key || !hash || !(await passwordHash.validate(password, hash))) return null;
  return { id: key.id, hash };
}

/** The id of the user with that name and password, or `null`; both kinds of no take one password hash of work. */
async function userIdByPassword(
  { lucia, passwordHash }: Auth,
  username: string,
  password: string,
): Promise<string | null> {
  try {
    return (await lucia.useKey(PROVIDER, username, password)).userId;
  } catch (error) {
    if (isLuciaError(error, 'AUTH_INVALID_PASSWORD')) return null;
    if (!isLuciaError(error, 'AUTH_INVALID_KEY_ID')) throw error;
    // Lucia answers at once for a name it does not know.
    await compareWithNothing(passwordHash, password);
    return null;
  }
}

function isLuciaError(error: unknown, message: LuciaError['message']): boolean {
  return error instanceof LuciaError && error.message === message;
}
