import type { Session, SessionSchema } from 'lucia';
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '../policy';

/** When a session ends however often it is renewed, in epoch milliseconds (ASVS 7.3.2). */
export function absoluteEnd({ created_at }: { created_at: number }): number {
  return created_at + ABSOLUTE_PERIOD_MILLISECONDS;
}

/** Caps a record's end at the absolute end of its session. */
export function endingByAbsoluteLimit(session: SessionSchema): SessionSchema {
  return { ...session, idle_expires: Math.min(session.idle_expires, absoluteEnd(session)) };
}

/** The same for a session that Lucia returned: Lucia knows no such limit. */
export function endingInTime(session: Session): Session {
  const expires = Math.min(session.idlePeriodExpiresAt.getTime(), absoluteEnd(session));
  return { ...session, idlePeriodExpiresAt: new Date(expires) };
}

/** What a sign-in and a renewal write: a new active and a new idle period. */
export function renewedPeriods(): Pick<SessionSchema, 'active_expires' | 'idle_expires'> {
  const now = Date.now();
  return { active_expires: now + ACTIVE_PERIOD_MILLISECONDS, idle_expires: idleEnd(now) };
}

/** When a session expires that is written at this time and not renewed, in epoch milliseconds. */
export function idleEnd(writtenAt: number): number {
  return writtenAt + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS;
}
