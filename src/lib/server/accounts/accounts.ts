import type { KeySchema } from 'lucia';
import { generateRandomString } from 'lucia/utils';
import { asHashed } from '$lib/password-characters';
import { logEvent, recordEvent } from '../sessions/activity';
import type { ConfirmedSession } from '../sessions/confirmed';
import { sessionEnded } from '../sessions/current';
import { saysItStands } from '../sessions/ledger';
import { removeLeftovers } from '../sessions/leftovers';
import { countOf } from '../sessions/list';
import { freshlyProven, proven, type ProvenSession } from '../sessions/proof';
import { actorOf, newSession, type SessionParts } from '../sessions/rotation';
import type { Sessions } from '../sessions/sessions';
import { isTableDown, type Stores } from '../stores/guarded';
import { sql } from '../stores/sql';
import { write } from '../stores/writes';
import type { Device, DeviceCookie } from '../throttle/known-browser';
import type { Throttle } from '../throttle/throttle';
import { countIn, hasRoom, notOvertaken } from '../throttle/throttle-sql';
import type { Tries } from '../throttle/tries';
import type { Keys, VerifiedKey } from './keys';
import type { PasswordHash } from './password';

/** As Lucia's own user ids. */
const USER_ID_CHARACTERS = 15;

export type Accounts = ReturnType<typeof createAccounts>;

type Parts = Pick<SessionParts, 'facts' | 'ledger' | 'background'> & {
  stores: Stores;
  sessions: Sessions;
  keys: Keys;
  throttle: Throttle;
  tries: Tries;
  knownBrowser: DeviceCookie;
  passwordHash: PasswordHash;
};

/** Accounts as they are made, signed in to, changed and deleted. Guessing is slowed down: each of these may throw `Throttled`. */
export function createAccounts({
  facts,
  ledger,
  background,
  stores,
  sessions,
  keys,
  throttle,
  tries,
  knownBrowser,
  passwordHash,
}: Parts) {
  const { db } = stores;

  /** Pages has no cron: a sign-in goes on with what the deletion of an account left to do, if there is one. */
  function goOnWithLeftovers(userId: string | null): void {
    if (userId !== null) background.run(() => removeLeftovers(stores, userId));
  }

  /**
   * Compares the signed-in user's password, and says what came of it only if the session still stands: whoever holds an ended one must not
   * learn whether a guess was right. Guessing from a session is slowed down by its sign-in, which locks out nobody else.
   */
  async function provePassword(
    current: ConfirmedSession,
    password: string,
  ): Promise<VerifiedKey | 'wrong-password'> {
    const { user, sessionId } = current;
    const [stored, tried] = await Promise.all([keys.ofUser(user.username), tries.proof(lineOf(current))]);
    const key = await keys.verify(stored, password);
    const failure = { type: 'proof-failed', sessionId, ...facts.origin, at: Date.now() } as const;
    const stands = ledger.askWhetherStands(actorOf(current));
    const results = await db.batch(
      key
        ? [...throttle.succeed(tried), stands]
        : write('failed-try', [
            ...throttle.fail(tried),
            recordEvent(db, failure, sql`User.id = ${user.userId}`),
            stands,
          ]),
    );
    if (!saysItStands(results)) sessionEnded();
    if (!key) logEvent('proof-failed', { userId: user.userId, sessionId });
    await throttle.requireNotOvertaken(tried, results);
    return key ?? 'wrong-password';
  }

  /** Each "end all others" and new password leaves a ledger row and an event: so a sign-in may do so often, and no oftener. */
  function limitOf(current: ConfirmedSession) {
    const quota = tries.rotations(lineOf(current));
    const alongside = { condition: hasRoom(quota), statements: [countIn(db, quota)] };
    /** What the ledger did not do: the limit was reached, or the session has ended. */
    const refused = async (): Promise<never> => {
      await throttle.requireRoom(quota);
      return sessionEnded();
    };
    return { alongside, refused };
  }

  return {
    /**
     * Makes an account and signs this browser in. `taken`: somebody has that name.
     * User, key and what is recorded of the sign-up are one atomic write.
     *
     * @param visit of the page whose form this is. Sent again after it has made the account, the form signs in: a browser shows only the answer
     *   to the last of two. That a name is taken by anybody else's account stays all that it tells.
     */
    async signUp(
      username: string,
      password: string,
      visit: string | null = null,
    ): Promise<'signed-in' | 'taken'> {
      const tried = await tries.signUp();
      // Every try counts: so one address can neither fill the database nor ask for name after name whether it is taken.
      const counted = throttle.fail(tried);
      const userId = generateRandomString(USER_ID_CHARACTERS);
      const session = newSession(userId);
      const arrival = await sessions.arrival('signed-up', userId, session.sessionId);
      const hash = await passwordHash.generate(password);
      const once = visit === null ? null : tries.signUpOf(visit, username);
      const made = await keys.create({ id: userId, username, hash }, [
        ...ledger.arrive(arrival),
        ...counted,
        ...(once ? [countIn(db, once)] : []),
      ]);
      if (made === 'taken') {
        // What was to be written with the account was not.
        const results = counted.length > 0 ? await db.batch(counted) : [];
        await throttle.requireNotOvertaken(tried, results);
        const madeIt = once !== null && (await throttle.isUsedUp(once));
        return madeIt && (await this.signIn(username, password)) === 'signed-in' ? 'signed-in' : 'taken';
      }
      logEvent('signed-up', { userId });
      await sessions.start({ id: userId, username, epoch: 0 }, session);
      goOnWithLeftovers(made.leftover);
      knownBrowser.remember(username, hash);
      return 'signed-in';
    },

    /** Signs this browser in. `refused` says neither whether the name exists nor what was wrong (ASVS 6.3.8). */
    async signIn(username: string, password: string): Promise<'signed-in' | 'refused'> {
      const device = knownBrowser.deviceOf(username);
      // A known browser's key is read meanwhile. A stranger is let in first: that keeps a flood of refused tries cheap.
      const [first, early] = device
        ? await Promise.all([tries.asDevice(device), keys.ofUser(username)])
        : [await tries.asStranger(username)];
      const stored = early === undefined ? await keys.ofUser(username) : early;
      const isKnown = device !== null && hasSignedInWith(device, stored);
      const tried = device && !isKnown ? await tries.asStranger(username, { device, instead: first }) : first;

      const key = await keys.verify(stored, password);
      if (!key) {
        const failure = { type: 'sign-in-failed', sessionId: null, ...facts.origin, at: Date.now() } as const;
        // The event first, while it can be seen whether a block has overtaken the try: only what counts is recorded.
        const [, ...results] = await db.batch(
          write('failed-try', [
            recordEvent(db, failure, sql`User.username = ${username} AND ${notOvertaken(tried)}`),
            ...throttle.fail(tried),
          ]),
        );
        logEvent('sign-in-failed');
        await throttle.requireNotOvertaken(tried, results);
        return 'refused';
      }
      const type = isKnown ? 'signed-in' : 'signed-in-new-device';
      const session = newSession(key.userId);
      const arrival = await sessions.arrival(type, key.userId, session.sessionId);
      const account = await keys.admit(key, tried, arrival, throttle.succeed(tried));
      if (account === 'changed') return 'refused';
      if (account === 'overtaken') return throttle.refuse(tried);
      logEvent(type, { userId: account.id, sessionId: session.sessionId });
      await sessions.start(account, session);
      goOnWithLeftovers(account.leftover);
      knownBrowser.remember(username, key.hash);
      return 'signed-in';
    },

    /** The proof that ends other sessions, if the password was given lately; otherwise `null`: ask for it (`prove`). */
    freshProof: freshlyProven,

    /** Step-up: checks the password again; then this browser goes on under a new token, with a fresh proof. */
    async prove(current: ConfirmedSession, password: string): Promise<ProvenSession | 'wrong-password'> {
      const key = await provePassword(current, password);
      return key === 'wrong-password' ? key : proven(await sessions.rotate(current));
    },

    /**
     * Ends all sessions of the user but this one, which goes on under a new token. Returns how many others were listed; `null` when KV could
     * not say. Where nobody can count how often, it is not limited.
     */
    async endOthers(current: ProvenSession): Promise<number | null> {
      const { alongside, refused } = limitOf(current);
      const others = await sessions.revokeOthers(current, alongside).catch((error: unknown) => {
        if (!isTableDown(error, 'SignInThrottle')) throw error;
        return sessions.revokeOthers(current, { condition: sql`TRUE`, statements: [] });
      });
      return others === 'refused' ? refused() : countOf(others);
    },

    /**
     * Changes the password and ends every other session; this browser goes on under a new token.
     * `wrong-password`: the current password is not that; `same-password`: it is, and the new one as well. Then nothing happened.
     * `endedOthers` is `null` when KV could not list them.
     */
    async changePassword(
      current: ConfirmedSession,
      currentPassword: string,
      newPassword: string,
    ): Promise<'wrong-password' | 'same-password' | { endedOthers: number | null }> {
      const key = await provePassword(current, currentPassword);
      if (key === 'wrong-password') return key;
      if (asHashed(newPassword) === asHashed(currentPassword)) return 'same-password';
      const newHash = await passwordHash.generate(newPassword);
      const { alongside, refused } = limitOf(current);
      const others = await sessions.rotateAll(current, Date.now(), (rotation) =>
        keys.changePassword(actorOf(current), key, newHash, { rotation, alongside, origin: facts.origin }),
      );
      if (others === 'refused') return refused();
      knownBrowser.remember(current.user.username, newHash);
      logEvent('password-changed', { userId: current.user.userId });
      return { endedOthers: countOf(others) };
    },

    /**
     * Deletes the account with all that belongs to it, and ends every session. `wrong-password`: nothing happened.
     * Its records in KV go in the background, and what is too much for one request with later sign-ins.
     */
    async delete(current: ConfirmedSession, password: string): Promise<'wrong-password' | 'deleted'> {
      const key = await provePassword(current, password);
      if (key === 'wrong-password') return key;
      const { userId } = current.user;
      const lateSessions = (await keys.deleteAccount(actorOf(current), key)) ?? sessionEnded();
      logEvent('account-deleted', { userId });
      sessions.leave();
      background.run(() => removeLeftovers(stores, userId, [current.sessionId, ...lateSessions]));
      return 'deleted';
    },

    createdAt: keys.createdAt,
  };
}

/** A sign-in, however often it has gone on under another token. */
function lineOf({ user, created_at }: ConfirmedSession): string {
  return `${user.userId}:${created_at}`;
}

function hasSignedInWith(device: Device, key: KeySchema | null): boolean {
  const hash = key?.hashed_password;
  return hash ? device.hasSignedInWith(hash) : false;
}
