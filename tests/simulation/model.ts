/** What a bystander who saw every request and answer knows of the sessions. */
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/auth/policy';
import { parseCookieValue } from '$lib/server/auth/token';

/** `unsure`: a request that would have ended it, or that raced with one, got no answer that tells. */
export type Fate = 'live' | 'unsure' | 'ended';

export type KnownSession = {
  cookie: string;
  sessionId: string;
  account: KnownAccount;
  fate: Fate;
  /** The sign-in; the absolute lifetime counts from it. */
  createdAt: number;
  /** The last time it was seen to stand. */
  aliveAt: number;
  /** The last time a request may have renewed it. */
  touchedAt: number;
};

export type KnownAccount = {
  username: string;
  exists: 'yes' | 'unsure' | 'no';
  /** What the password may be. */
  passwords: string[];
  sessions: KnownSession[];
  /** How many sessions may have been made whose cookie nobody got. */
  lost: number;
};

export function newAccount(username: string): KnownAccount {
  return { username, exists: 'no', passwords: [], sessions: [], lost: 0 };
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
    createdAt,
    aliveAt: now,
    touchedAt: now,
  };
  account.sessions.push(session);
  return session;
}

/** An end that was answered is certain; one whose answer got lost may have happened. */
export function end(session: KnownSession | undefined, certain: boolean): void {
  if (session && session.fate !== 'ended') session.fate = certain ? 'ended' : 'unsure';
}

export function endAll(account: KnownAccount, certain: boolean): void {
  for (const session of account.sessions) end(session, certain);
}

/** Whether its time is over, however it was used. */
export function isOverdue({ createdAt, touchedAt }: KnownSession, now: number): boolean {
  const idleEnd = touchedAt + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS;
  return now >= Math.min(createdAt + ABSOLUTE_PERIOD_MILLISECONDS, idleEnd);
}

/** Whether nothing excuses it from being accepted. */
export function mustLive({ fate, aliveAt, createdAt }: KnownSession, now: number): boolean {
  const inTime = now < Math.min(aliveAt + IDLE_PERIOD_MILLISECONDS, createdAt + ABSOLUTE_PERIOD_MILLISECONDS);
  return fate === 'live' && inTime;
}
