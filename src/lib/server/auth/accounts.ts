import { LuciaError, type KeySchema, type Session } from 'lucia';
import { generateRandomString } from 'lucia/utils';
import { asHashed } from '$lib/password-characters';
import type { Device } from './device-cookie';
import { logEvent, recordEvent } from './events';
import { toSignIn } from './guards';
import { sql } from '../sql';
import { saysItStands, type VerifiedKey } from './ledger';
import { leftoverIn, removeLeftovers } from './leftovers';
import type { Auth } from './lucia';
import { compareWithNothing } from './password';
import {
  ACCOUNT_THROTTLE,
  ADDRESS_THROTTLE,
  PROOF_PERIOD_MILLISECONDS,
  SIGN_UP_THROTTLE,
  type ThrottleRule,
} from './policy';
import {
  actorOf,
  arrivalOf,
  countOf,
  endOthers,
  inBackground,
  leave,
  newSession,
  originOf,
  renewProof,
  startSession,
  type SessionEvent,
} from './sessions';
import { addressBlock, bucket, type Bucket, type Throttled } from './throttle';

/** The one kind of key here: a username with a password. */
const PROVIDER = 'username';
/** As Lucia's own user ids. */
const USER_ID_CHARACTERS = 15;

/**
 * Makes an account and signs this browser in. `taken`: somebody has that name.
 * User, key and what is recorded of the sign-up are one atomic write.
 */
export async function signUp(
  event: SessionEvent,
  username: string,
  password: string,
): Promise<'signed-in' | 'taken' | Throttled> {
  const { auth } = event.locals;
  const tried = await auth.throttle.take(addressBuckets(event, SIGN_UP_THROTTLE, 'sign-up'));
  if ('retryAfterSeconds' in tried) return throttled(tried);
  // Every try counts: so one address can neither fill the database nor ask for name after name whether it is taken.
  const counted = auth.throttle.fail(tried);

  const userId = generateRandomString(USER_ID_CHARACTERS);
  const session = newSession(userId);
  auth.memory.alongSignUp.statements.push(
    ...auth.ledger.arrive(await arrivalOf(event, 'signed-up', userId, session.sessionId)),
    ...counted,
  );
  try {
    await auth.lucia.createUser({
      userId,
      key: { providerId: PROVIDER, providerUserId: username, password },
      attributes: { username },
    });
  } catch (error) {
    if (!isLuciaError(error, 'AUTH_DUPLICATE_KEY_ID')) throw error;
    // What was to be written with the account was not.
    if (counted.length > 0) await auth.stores.db.batch(counted);
    return 'taken';
  }
  logEvent('signed-up', { userId });
  await startSession(event, { id: userId, username, epoch: 0 }, session);
  goOnWithLeftovers(event, leftoverIn(auth.memory.alongSignUp.results));
  if (auth.memory.passwordHash) auth.deviceCookie.remember(username, auth.memory.passwordHash);
  return 'signed-in';
}

/** Signs this browser in. `refused` says neither whether the name exists nor what was wrong (ASVS 6.3.8). */
export async function signIn(
  event: SessionEvent,
  username: string,
  password: string,
): Promise<'signed-in' | 'refused' | Throttled> {
  const { auth } = event.locals;
  const device = auth.deviceCookie.deviceOf(username);
  const [stored, first] = await Promise.all([
    auth.users.getKey(`${PROVIDER}:${username}`),
    auth.throttle.take(device ? [deviceBucket(event, device)] : strangersBuckets(event, username)),
  ]);
  if ('retryAfterSeconds' in first) return throttled(first);
  const isKnown = device !== null && hasSignedInWith(device, stored);
  const tried =
    device && !isKnown ? await auth.throttle.take(strangersBuckets(event, username), first) : first;
  if ('retryAfterSeconds' in tried) return throttled(tried);

  const key = await verifyKey(auth, stored, password);
  if (!key) {
    const failure = { type: 'sign-in-failed', sessionId: null, ...originOf(event), at: Date.now() } as const;
    const results = await auth.stores.db.batch([
      ...auth.throttle.fail(tried),
      recordEvent(auth.stores.db, failure, sql`User.username = ${username}`),
    ]);
    logEvent('sign-in-failed');
    const overtaken = await auth.throttle.overtaken(tried, results);
    return overtaken ? throttled(overtaken) : 'refused';
  }
  const type = isKnown ? 'signed-in' : 'signed-in-new-device';
  const session = newSession(key.userId);
  const arrival = await arrivalOf(event, type, key.userId, session.sessionId);
  const account = await auth.ledger.admit(key, tried, arrival, auth.throttle.succeed(tried));
  if (account === 'changed') return 'refused';
  if (account === 'overtaken') return throttled(await auth.throttle.wait(tried));
  logEvent(type, { userId: account.id, sessionId: session.sessionId });
  await startSession(event, account, session);
  goOnWithLeftovers(event, account.leftover);
  auth.deviceCookie.remember(username, key.hash);
  return 'signed-in';
}

/**
 * Changes the password and ends every other session; this browser goes on under a new token.
 * `wrong-password`: the current password is not that; `same-password`: it is, and the new one as well. Then nothing happened.
 * `endedOthers` is `null` when KV could not list them.
 */
export async function changePassword(
  event: SessionEvent,
  current: Session,
  currentPassword: string,
  newPassword: string,
): Promise<'wrong-password' | 'same-password' | Throttled | { endedOthers: number | null }> {
  const { auth } = event.locals;
  const key = await provePassword(event, current, currentPassword);
  if (typeof key === 'string' || 'retryAfterSeconds' in key) return key;
  if (asHashed(newPassword) === asHashed(currentPassword)) return 'same-password';
  const newHash = await auth.passwordHash.generate(newPassword);
  const others = await endOthers(event, current, Date.now(), (next, successorId) =>
    auth.ledger.changePassword(actorOf(current), key, newHash, next, originOf(event), successorId),
  );
  auth.deviceCookie.remember(current.user.username, newHash);
  logEvent('password-changed', { userId: current.user.userId });
  return { endedOthers: countOf(others) };
}

/**
 * Deletes the account with all that belongs to it, and ends every session. `wrong-password`: nothing happened.
 * Its records in KV go in the background, and what is too much for one request with later sign-ins.
 */
export async function deleteAccount(
  event: SessionEvent,
  current: Session,
  password: string,
): Promise<'wrong-password' | Throttled | 'deleted'> {
  const { auth } = event.locals;
  const key = await provePassword(event, current, password);
  if (typeof key === 'string' || 'retryAfterSeconds' in key) return key;
  const { userId } = current.user;
  const lateSessions = (await auth.ledger.deleteAccount(actorOf(current), key)) ?? toSignIn(event);
  logEvent('account-deleted', { userId });
  leave(event);
  inBackground(event, () => removeLeftovers(auth.stores, userId, [current.sessionId, ...lateSessions]));
  return 'deleted';
}

/** Pages has no cron: a sign-in goes on with what the deletion of an account left to do, if there is one. */
function goOnWithLeftovers(event: SessionEvent, userId: string | null): void {
  if (userId !== null) inBackground(event, () => removeLeftovers(event.locals.auth.stores, userId));
}

/** Whether the password was given lately enough to end other sessions without being asked again (ASVS 7.5.1). */
export function isProofFresh({ proved_at }: Session): boolean {
  return Date.now() - proved_at < PROOF_PERIOD_MILLISECONDS;
}

/** Step-up: checks the password again; then this browser goes on under a new token, with a fresh proof. */
export async function stepUp(
  event: SessionEvent,
  current: Session,
  password: string,
): Promise<'wrong-password' | Throttled | { session: Session }> {
  const key = await provePassword(event, current, password);
  if (typeof key === 'string' || 'retryAfterSeconds' in key) return key;
  return { session: await renewProof(event, current) };
}

/**
 * Compares the signed-in user's password, and says what came of it only if the session still stands: whoever holds an ended one must not
 * learn whether a guess was right. Guessing from a session is slowed down by session, which locks out nobody else; by its
 * sign-in, as a session can go on under a new id as often as it likes.
 */
async function provePassword(
  event: SessionEvent,
  current: Session,
  password: string,
): Promise<'wrong-password' | Throttled | VerifiedKey> {
  const { auth } = event.locals;
  const { user, sessionId, created_at } = current;
  const own = bucket(ACCOUNT_THROTTLE, auth.deviceSecret, 'proof', `${user.userId}:${created_at}`);
  const [stored, tried] = await Promise.all([
    auth.users.getKey(`${PROVIDER}:${user.username}`),
    auth.throttle.take([own]),
  ]);
  if ('retryAfterSeconds' in tried) return throttled(tried);
  const key = await verifyKey(auth, stored, password);
  const failure = { type: 'proof-failed', sessionId, ...originOf(event), at: Date.now() } as const;
  const results = await auth.stores.db.batch([
    ...(key
      ? auth.throttle.succeed(tried)
      : [...auth.throttle.fail(tried), recordEvent(auth.stores.db, failure, sql`User.id = ${user.userId}`)]),
    auth.ledger.askWhetherStands(actorOf(current)),
  ]);
  if (!saysItStands(results)) toSignIn(event);
  if (!key) logEvent('proof-failed', { userId: user.userId, sessionId });
  const overtaken = await auth.throttle.overtaken(tried, results);
  return overtaken ? throttled(overtaken) : (key ?? 'wrong-password');
}

/**
 * The key, if the password is the one it was made with. No key takes as long as a wrong password: Lucia's own `useKey`
 * answers at once for a name it does not know, and so tells which names exist.
 */
async function verifyKey(
  { passwordHash }: Auth,
  stored: KeySchema | null,
  password: string,
): Promise<(VerifiedKey & { userId: string }) | null> {
  const hash = stored?.hashed_password;
  const matches = await (hash
    ? passwordHash.validate(password, hash)
    : compareWithNothing(passwordHash, password));
  return stored && hash && matches ? { id: stored.id, hash, userId: stored.user_id } : null;
}

/** A browser that signed in to this account before has a count of its own, so that strangers cannot lock it out. */
function deviceBucket(event: SessionEvent, { id }: Device): Bucket {
  return bucket(ACCOUNT_THROTTLE, event.locals.auth.deviceSecret, 'device', id);
}

/**
 * All others share the account's count and their address block's: so does a browser that knew an earlier password, or was
 * signed in to an earlier account of that name.
 */
function strangersBuckets(event: SessionEvent, username: string): Bucket[] {
  return [
    bucket(ACCOUNT_THROTTLE, event.locals.auth.deviceSecret, 'account', username),
    ...addressBuckets(event, ADDRESS_THROTTLE, 'address'),
  ];
}

function hasSignedInWith(device: Device, key: KeySchema | null): boolean {
  const hash = key?.hashed_password;
  return hash ? device.hasSignedInWith(hash) : false;
}

function addressBuckets(event: SessionEvent, rule: ThrottleRule, kind: string): Bucket[] {
  const block = addressBlock(event.getClientAddress());
  return block === null ? [] : [bucket(rule, event.locals.auth.deviceSecret, kind, block, { shared: true })];
}

/** `null`: the block was gone when it was asked for; a second is enough. */
function throttled(outcome: Throttled | null): Throttled {
  const { retryAfterSeconds } = outcome ?? { retryAfterSeconds: 1 };
  logEvent('throttled', { retryAfterSeconds });
  return { retryAfterSeconds };
}

function isLuciaError(error: unknown, message: LuciaError['message']): boolean {
  return error instanceof LuciaError && error.message === message;
}
