/** What an observer of every request and response knows about the sessions. */
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/policy';
import type { KnownBinding } from './histories-bound';
import { parseCookieValue } from '$lib/server/sessions/token';

/** `unsure`: a request that would have ended it, or that raced with one, got no conclusive response. */
export type Fate = 'live' | 'unsure' | 'ended';

export type KnownSession = {
  cookie: string;
  sessionId: string;
  account: KnownAccount;
  fate: Fate;
  /** When it became known that it had ended. */
  endedAt: number;
  /** The time of the sign-in, from which the absolute lifetime counts. */
  createdAt: number;
  /** The times at which it was seen to be live. */
  seenAt: number[];
  /** The times at which it may have been renamed. */
  namedAt: number[];
  /** The last time at which a request may have renewed it. */
  touchedAt: number;
  /** Its binding, if its browser has bound it to the device. */
  binding: KnownBinding | null;
};

export type KnownAccount = {
  username: string;
  exists: 'yes' | 'unsure' | 'no';
  /** The possible passwords. */
  passwords: string[];
  sessions: KnownSession[];
  /** How many sessions may have been created whose cookie nobody got. */
  lost: number;
  /** When a response said that it is deleted. */
  deletedAt: number;
  /** The last time at which a request may have stored a record whose birth D1 did not see. */
  strayAt: number;
};

export function newAccount(username: string): KnownAccount {
  return { username, exists: 'no', passwords: [], sessions: [], lost: 0, deletedAt: Infinity, strayAt: 0 };
}

export function addSession(account: KnownAccount, cookie: string, createdAt: number): KnownSession {
  const sessionId = parseCookieValue(cookie)?.sessionId;
  if (!sessionId) throw new Error(`[model] not a session cookie: ${cookie}`);
  const now = Date.now();
  const session: KnownSession = {
    cookie,
    sessionId,
    account,
    fate: 'live',
    endedAt: Infinity,
    createdAt,
    seenAt: [now],
    namedAt: [],
    touchedAt: now,
    binding: null,
  };
  account.sessions.push(session);
  return session;
}

/** An end that was confirmed is certain. If the response was lost, it may have happened. */
export function end(session: KnownSession | undefined, certain: boolean): void {
  if (!session || session.fate === 'ended') return;
  session.fate = certain ? 'ended' : 'unsure';
  if (certain) session.endedAt = Date.now();
}

export function endAll(account: KnownAccount, certain: boolean): void {
  for (const session of account.sessions) end(session, certain);
}

/** Longer than any location of the KV returns an old value. */
const KV_LATE_MILLISECONDS = 10 * 60 * 1_000;
/**
 * Returns whether the account was deleted and nothing excuses a remaining record. KV's list may not show yet what was stored just before.
 * The deletion knows of those records only if D1 saw their births.
 */
export function mustLeaveNothing({ deletedAt, strayAt }: KnownAccount): boolean {
  return deletedAt !== Infinity && strayAt < deletedAt - KV_LATE_MILLISECONDS;
}

/** Longer than a write takes to arrive, and than the second in which KV refuses another write of the key. */
const KV_WRITE_MILLISECONDS = 5_000;

/**
 * A new name is written on top of the record that one location shows. If that is an old version, a renewal in the last minutes is undone,
 * and KV refuses a renewal in the same second. The session stays live, but ends as if it had not been used.
 */
export function mayHaveLostRenewal(session: KnownSession): void {
  session.namedAt.push(Date.now());
}

/** Returns the last time it was seen to be live without a rename close enough to have undone that renewal. */
function aliveAt({ seenAt, namedAt, createdAt }: KnownSession): number {
  const undone = (time: number) =>
    namedAt.some((named) => time > named - KV_LATE_MILLISECONDS && time <= named + KV_WRITE_MILLISECONDS);
  return seenAt.findLast((time) => !undone(time)) ?? createdAt;
}

/** Returns whether its absolute lifetime is over, however often it was used. */
export function isPastAbsoluteLimit({ createdAt }: KnownSession, now: number): boolean {
  return now >= createdAt + ABSOLUTE_PERIOD_MILLISECONDS;
}

function isPastIdleLimit({ touchedAt }: KnownSession, now: number): boolean {
  return now >= touchedAt + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS;
}

/** Returns whether its time is over, however it was used. */
export function isOverdue(session: KnownSession, now: number): boolean {
  return isPastAbsoluteLimit(session, now) || isPastIdleLimit(session, now);
}

/** Returns whether only the absolute limit has ended it. */
export function isEndedByAbsoluteLimit(session: KnownSession, now: number): boolean {
  return (
    session.fate === 'live' &&
    isPastAbsoluteLimit(session, now) &&
    now < aliveAt(session) + IDLE_PERIOD_MILLISECONDS
  );
}

/** Returns whether nothing excuses it from being accepted. */
export function mustLive(session: KnownSession, now: number): boolean {
  const used = now < aliveAt(session) + IDLE_PERIOD_MILLISECONDS;
  return session.fate === 'live' && used && !isPastAbsoluteLimit(session, now);
}
