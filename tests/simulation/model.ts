/** What a bystander who saw every request and answer knows of the sessions. */
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/policy';
import type { KnownBinding } from './histories-bound';
import { parseCookieValue } from '$lib/server/sessions/token';

/** `unsure`: a request that would have ended it, or that raced with one, got no answer that tells. */
export type Fate = 'live' | 'unsure' | 'ended';

export type KnownSession = {
  cookie: string;
  sessionId: string;
  account: KnownAccount;
  fate: Fate;
  /** When it was learnt that it had ended. */
  endedAt: number;
  /** The sign-in; the absolute lifetime counts from it. */
  createdAt: number;
  /** When it was seen to stand. */
  seenAt: number[];
  /** When it may have been given a name. */
  namedAt: number[];
  /** The last time a request may have renewed it. */
  touchedAt: number;
  /** If its browser has bound it to the device. */
  binding: KnownBinding | null;
};

export type KnownAccount = {
  username: string;
  exists: 'yes' | 'unsure' | 'no';
  /** What the password may be. */
  passwords: string[];
  sessions: KnownSession[];
  /** How many sessions may have been made whose cookie nobody got. */
  lost: number;
  /** When an answer said that it is deleted. */
  deletedAt: number;
  /** The last time a request may have stored a record that D1 did not see begin. */
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

/** An end that was answered is certain; one whose answer got lost may have happened. */
export function end(session: KnownSession | undefined, certain: boolean): void {
  if (!session || session.fate === 'ended') return;
  session.fate = certain ? 'ended' : 'unsure';
  if (certain) session.endedAt = Date.now();
}

export function endAll(account: KnownAccount, certain: boolean): void {
  for (const session of account.sessions) end(session, certain);
}

/** Longer than any place of the KV serves an old value. */
const KV_LATE_MILLISECONDS = 10 * 60 * 1_000;
/**
 * Whether it was deleted, and nothing excuses a record of it. KV's list may not show yet what was stored just before: of that, the
 * deletion knows what D1 saw begin.
 */
export function mustLeaveNothing({ deletedAt, strayAt }: KnownAccount): boolean {
  return deletedAt !== Infinity && strayAt < deletedAt - KV_LATE_MILLISECONDS;
}

/** Longer than a write is on its way, and than the second in which KV refuses another write of the key. */
const KV_WRITE_MILLISECONDS = 5_000;

/**
 * A new name is written with what one place shows of the record. If that is an old version, a renewal of the last minutes
 * is undone, and a renewal in the same second is refused by KV: the session lives on, but ends as if it had not been used.
 */
export function mayHaveLostRenewal(session: KnownSession): void {
  session.namedAt.push(Date.now());
}

/** The last time it was seen to stand, with no name near enough to have undone that renewal. */
function aliveAt({ seenAt, namedAt, createdAt }: KnownSession): number {
  const undone = (time: number) =>
    namedAt.some((named) => time > named - KV_LATE_MILLISECONDS && time <= named + KV_WRITE_MILLISECONDS);
  return seenAt.findLast((time) => !undone(time)) ?? createdAt;
}

/** However often it was used. */
export function isPastAbsoluteLimit({ createdAt }: KnownSession, now: number): boolean {
  return now >= createdAt + ABSOLUTE_PERIOD_MILLISECONDS;
}

function isPastIdleLimit({ touchedAt }: KnownSession, now: number): boolean {
  return now >= touchedAt + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS;
}

/** Whether its time is over, however it was used. */
export function isOverdue(session: KnownSession, now: number): boolean {
  return isPastAbsoluteLimit(session, now) || isPastIdleLimit(session, now);
}

/** Whether nothing but the absolute limit has ended it. */
export function isEndedByAbsoluteLimit(session: KnownSession, now: number): boolean {
  return (
    session.fate === 'live' &&
    isPastAbsoluteLimit(session, now) &&
    now < aliveAt(session) + IDLE_PERIOD_MILLISECONDS
  );
}

/** Whether nothing excuses it from being accepted. */
export function mustLive(session: KnownSession, now: number): boolean {
  const used = now < aliveAt(session) + IDLE_PERIOD_MILLISECONDS;
  return session.fate === 'live' && used && !isPastAbsoluteLimit(session, now);
}
