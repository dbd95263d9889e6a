import type { KeySchema } from 'lucia';
import { generateRandomString } from 'lucia/utils';
import { asHashed } from '$lib/password-characters';
import { logEvent, recordEvent } from '../sessions/activity';
import type { ConfirmedSession } from '../sessions/confirmed';
import { sessionEnded } from '../sessions/current';
import { saysItStands } from '../sessions/ledger';
import { actorStands } from '../sessions/ledger-sql';
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

/** The same length as Lucia's own user ids. */
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

/**
 * Creates accounts, signs in to them, changes them and deletes them. Password guessing is throttled: each method that checks a password may
 * throw `Throttled`, and so may `signUp` and `endOthers`.
 */
export function createAccounts(parts: Parts) {
  const { facts, ledger, background, stores, sessions, keys, throttle, tries, knownBrowser, passwordHash } =
    parts;
  const { db } = stores;

  /** Continues the cleanup after a deleted account, if there is one. Pages has no cron, so sign-ins do this work. */
  function goOnWithLeftovers(userId: string | null): void {
    if (userId !== null) background.run(() => removeLeftovers(stores, userId));
  }

  /**
   * Compares the signed-in user's password. It reports the result only if the session still stands: an ended session must not reveal
   * whether a guess was right. Guesses are counted per sign-in, so they lock out nobody else.
   */
  async function provePassword(
    current: ConfirmedSession,
    password: string,
  ): Promise<VerifiedKey | 'wrong-password'> {
    const { user, sessionId } = current;
    const [stored, tried] = await Promise.all([keys.ofUser(user.username), tries.proof(lineOf(current))]);
    const key = await keys.verify(stored, password);
    const failure = { type: 'proof-failed', sessionId, ...facts.origin, at: Date.now() } as const;
    const actor = actorOf(current);
    const stands = ledger.askWhetherStands(actor);
    const recorded = sql`User.id = ${user.userId} AND ${actorStands(actor)} AND ${notOvertaken(tried)}`;
    const results = await db.batch(
      key
        ? [...throttle.succeed(tried), stands]
        : write('failed-try', [recordEvent(db, failure, recorded), ...throttle.fail(tried), stands]),
    );
    if (!saysItStands(results)) sessionEnded();
    if (!key) logEvent('proof-failed', { userId: user.userId, sessionId });
    await throttle.requireNotOvertaken(tried, key ? results : results.slice(1));
    return key ?? 'wrong-password';
  }

  /** `ROTATIONS_PER_HOUR_MAX` an hour for one sign-in: each "end all others" and each new password adds a ledger row and an event. */
  function limitOf(current: ConfirmedSession) {
    const quota = tries.rotations(lineOf(current));
    const alongside = { condition: hasRoom(quota), statements: [countIn(db, quota)] };
    /** Why the ledger refused: the limit is reached, or the session has ended. */
    const refused = async (): Promise<never> => {
      await throttle.requireRoom(quota);
      return sessionEnded();
    };
    return { alongside, refused };
  }

  return {
    /**
     * Creates an account and signs this browser in. `taken`: the name is in use. The user, the key and the ledger's record of the sign-up
     * are one atomic write.
     *
     * @param visit identifies the page whose form this is. If the same form is sent again after it created the account, it signs in: a
     *   browser shows only the response to its last submission. For a name that somebody else's account has, the answer is still just
     *   `taken`.
     */
    async signUp(
      username: string,
      password: string,
      visit: string | null = null,
    ): Promise<'signed-in' | 'taken'> {
      const tried = await tries.signUp();
      // Every try counts, so that one address can neither fill the database nor test name after name.
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
        // The failed batch rolled back the throttle's statements too, so they run again here.
        const results = counted.length > 0 ? await db.batch(counted) : [];
        await throttle.requireNotOvertaken(tried, results);
        const madeIt = once !== null && (await throttle.isUsedUp(once));
        return madeIt && (await this.signIn(username, password)) === 'signed-in' ? 'signed-in' : 'taken';
      }
      logEvent('signed-up', { userId });
      await sessions.start({ id: userId, username, epoch: 0 }, session);
      goOnWithLeftovers(made.leftover);
      await knownBrowser.remember(username, hash);
      return 'signed-in';
    },

    /** Signs this browser in. `refused` reveals neither whether the name exists nor what was wrong (ASVS 6.3.8). */
    async signIn(username: string, password: string): Promise<'signed-in' | 'refused'> {
      const device = await knownBrowser.deviceOf(username);
      // For a known browser, the key is read in parallel with the throttle. A stranger must pass the throttle first, which keeps a flood of
      // refused tries cheap.
      const [first, early] = device
        ? await Promise.all([tries.asDevice(device), keys.ofUser(username)])
        : [await tries.asStranger(username)];
      const stored = early === undefined ? await keys.ofUser(username) : early;
      const isKnown = device !== null && (await hasSignedInWith(device, stored));
      const tried = device && !isKnown ? await tries.asStranger(username, { device, instead: first }) : first;

      const key = await keys.verify(stored, password);
      if (!key) {
        const failure = { type: 'sign-in-failed', sessionId: null, ...facts.origin, at: Date.now() } as const;
        // The event comes first, because after `fail` its condition could no longer tell whether a block overtook the try. Only a try that
        // counts is recorded.
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
      await knownBrowser.remember(username, key.hash);
      return 'signed-in';
    },

    /**
     * Returns the proof that ending other sessions requires, if the password was given recently. Otherwise `null`: ask for it (`prove`).
     */
    freshProof: freshlyProven,

    /** Step-up: checks the password again, then rotates this browser's token. The new session carries a fresh proof. */
    async prove(current: ConfirmedSession, password: string): Promise<ProvenSession | 'wrong-password'> {
      const key = await provePassword(current, password);
      return key === 'wrong-password' ? key : proven(await sessions.rotate(current));
    },

    /**
     * Ends all sessions of the user except this one, whose token is rotated. Returns how many others were listed, or `null` if they could
     * not be counted. If the throttle table is down, the hourly limit is not applied.
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
     * Changes the password, ends every other session and rotates this browser's token. `wrong-password`: the current password is wrong.
     * `same-password`: the new password equals the current one. In both cases nothing changes. `endedOthers` is `null` if the other
     * sessions could not be counted.
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
      await knownBrowser.remember(current.user.username, newHash);
      logEvent('password-changed', { userId: current.user.userId });
      return { endedOthers: countOf(others) };
    },

    /**
     * Deletes the account with everything that belongs to it, and ends every session. `wrong-password`: nothing changes. The KV records are
     * deleted in the background. If there are too many for one request, later sign-ins delete the rest.
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

/** Identifies one sign-in, however often its token has been rotated. */
function lineOf({ user, created_at }: ConfirmedSession): string {
  return `${user.userId}:${created_at}`;
}

async function hasSignedInWith(device: Device, key: KeySchema | null): Promise<boolean> {
  const hash = key?.hashed_password;
  return hash ? device.hasSignedInWith(hash) : false;
}
