/** Users and sessions as the app stores them, created without the app, for runs that need many. */
import { createHash, randomBytes, scryptSync } from 'node:crypto';
import {
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
  SCRYPT,
  TOKEN_BYTES,
} from '../../src/lib/server/policy.ts';

/** The password of every user created here. */
export const PASSWORD = 'correct horse battery staple';

/** @typedef {{ id: string, username: string }} Person */

/**
 * A user by number; ids are as long as the app's own.
 * @param {number} number
 * @returns {Person}
 */
export function person(number) {
  return { id: `u${String(number).padStart(14, '0')}`, username: `user-${number}` };
}

/** Returns a hash of `PASSWORD` like the app's. It takes as long as a sign-in. */
export function passwordHash() {
  const salt = randomBytes(8).toString('hex');
  const { cost: N, blockSize: r, parallelization: p, keyBytes } = SCRYPT;
  const key = scryptSync(PASSWORD, salt, keyBytes, { N, r, p, maxmem: 2 * 128 * N * r });
  return `s2:${salt}:${key.toString('hex')}`;
}

/**
 * A new session of a user, active from now: the cookie's value, and the record for KV.
 * @param {Person} person
 */
export function newSession({ id: userId, username }) {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const id = `${userId}.${createHash('sha256').update(token).digest('base64url')}`;
  const now = Date.now();
  const session = {
    id,
    user_id: userId,
    active_expires: now + ACTIVE_PERIOD_MILLISECONDS,
    idle_expires: now + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS,
    username,
    epoch: 0,
    created_at: now,
    proved_at: now,
    device: { browser: 'Firefox 146', system: 'Linux', kind: 'desktop' },
    place: { country: null, city: 'local' },
  };
  return {
    cookie: `${userId}.${token}`,
    id,
    key: `session:${id}`,
    /** The record's value, which is also its metadata. */
    json: JSON.stringify(session),
    /** Epoch seconds. */
    expiration: Math.floor(session.idle_expires / 1_000),
  };
}
