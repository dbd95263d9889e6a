import { LuciaError, type KeySchema, type Session } from 'lucia';
import { generateRandomString } from 'lucia/utils';
import { asHashed } from '$lib/password-characters';
import type { Device } from '../throttle/known-browser';
import { logEvent, recordEvent } from '../sessions/activity';
import { toSignIn } from '../sessions/current';
import { sql } from '../stores/sql';
import { saysItStands, type VerifiedKey } from '../sessions/ledger';
import { leftoverIn, removeLeftovers } from '../sessions/leftovers';
import type { Auth } from '../sessions/lucia';
import { compareWithNothing } from './password';
import {
  ACCOUNT_THROTTLE,
  ADDRESS_THROTTLE,
  PROOF_PERIOD_MILLISECONDS,
  SIGN_INS_PER_HOUR_MAX,
  SIGN_INS_WINDOW_MILLISECONDS,
  SIGN_UP_THROTTLE,
} from '../policy';
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
} from '../sessions/sessions';
import {
  addressBlock,
  bucket,
  notOvertaken,
  rowId,
  isThrottled,
  type Bucket,
  type Quota,
  type Throttled,
  type Try,
} from '../throttle/throttle';

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
  const tried = await auth.throttle.take(signUpBuckets(event));
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
    const results = counted.length > 0 ? await auth.stores.db.batch(counted) : [];
    const overtaken = await auth.throttle.overtaken(tried, results);
    return overtaken ? throttled(overtaken) : 'taken';
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
  const readKey = () => auth.users.getKey(`${PROVIDER}:${username}`);
  // A known browser's key is read meanwhile. A stranger is let in first: that keeps a flood of refused tries cheap.
  const [first, early] = device
    ? await Promise.all([takeAsDevice(event, device), readKey()])
    : [await takeAsStranger(event, username)];
  if ('retryAfterSeconds' in first) return throttled(first);
  const stored = early === undefined ? await readKey() : early;
  const isKnown = device !== null && hasSignedInWith(device, stored);
  const tried =
    device && !isKnown ? await takeAsStranger(event, username, { device, instead: first }) : first;
  if ('retryAfterSeconds' in tried) return throttled(tried);

  const key = await verifyKey(auth, stored, password);
  if (!key) {
    const failure = { type: 'sign-in-failed', sessionId: null, ...originOf(event), at: Date.now() } as const;
    // The event first, while it can be seen whether a block has overtaken the try: only what counts is recorded.
    const [, ...results] = await auth.stores.db.batch([
      recordEvent(auth.stores.db, failure, sql`User.username = ${username} AND ${notOvertaken(tried)}`),
      ...auth.throttle.fail(tried),
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
  const others = await endOthers(event, current, Date.now(), (rotation) =>
    auth.ledger.changePassword(actorOf(current), key, newHash, rotation, originOf(event)),
  );
  if (isThrottled(others)) return throttled(others);
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
    auth.throttle.take([own, ...addressBuckets(event, [])]),
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

/** A browser that signed in to this account before has counts of its own, so that nobody else can lock it out. */
function takeAsDevice(event: SessionEvent, device: Device): Promise<Try | Throttled> {
  const { throttle, deviceSecret } = event.locals.auth;
  return throttle.take([deviceBucket(event, device), ...addressBuckets(event, [])], {
    quotas: [signInsOf(deviceSecret, 'sign-ins-device', device.browserId)],
  });
}

/**
 * All others share the account's counts and their address block's: so does a browser that knew an earlier password, or was
 * signed in to an earlier account of that name. Such a `device` is counted as what it is as well, anew.
 */
function takeAsStranger(
  event: SessionEvent,
  username: string,
  { device, instead }: { device?: Device; instead?: Try } = {},
): Promise<Try | Throttled> {
  const { throttle, deviceSecret } = event.locals.auth;
  const buckets = [
    ...(device ? [deviceBucket(event, device)] : []),
    bucket(ACCOUNT_THROTTLE, deviceSecret, 'account', username),
    ...addressBuckets(event, ['failed']),
  ];
  return throttle.take(buckets, { quotas: [signInsOf(deviceSecret, 'sign-ins', username)], instead });
}

function deviceBucket(event: SessionEvent, { id }: Device): Bucket {
  return bucket(ACCOUNT_THROTTLE, event.locals.auth.deviceSecret, 'device', id);
}

function hasSignedInWith(device: Device, key: KeySchema | null): boolean {
  const hash = key?.hashed_password;
  return hash ? device.hasSignedInWith(hash) : false;
}

/** Every sign-up of an address counts, and is under way there as sign-ins are. */
function signUpBuckets(event: SessionEvent): Bucket[] {
  const block = addressBlock(event.getClientAddress());
  if (block === null) return [];
  const counts = ['failed', 'succeeded'] as const;
  const own = bucket(SIGN_UP_THROTTLE, event.locals.auth.deviceSecret, 'sign-up', block, {
    counts,
    shared: true,
  });
  return [own, ...addressBuckets(event, [])];
}

/** The address that a request comes from. Whatever counts there, all that it has under way at once is limited. */
function addressBuckets(event: SessionEvent, counts: Bucket['counts']): Bucket[] {
  const block = addressBlock(event.getClientAddress());
  const secret = event.locals.auth.deviceSecret;
  return block === null ? [] : [bucket(ADDRESS_THROTTLE, secret, 'address', block, { counts, shared: true })];
}

function signInsOf(secret: string | undefined, kind: string, of: string): Quota {
  return {
    id: rowId(secret, kind, of),
    max: SIGN_INS_PER_HOUR_MAX,
    windowMilliseconds: SIGN_INS_WINDOW_MILLISECONDS,
  };
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
