import type { SessionSchema } from 'lucia';

export const HOUR_MILLISECONDS = 60 * 60 * 1000;

/** A user id that no other test has. */
export const newUserId = () => `user${crypto.randomUUID().replaceAll('-', '')}`;

/** A session of that user, with an id that both layouts take. */
export function sessionOf(userId: string, changes: Partial<SessionSchema> = {}): SessionSchema {
  const now = Date.now();
  return {
    id: `${userId}.${crypto.randomUUID()}`,
    user_id: userId,
    active_expires: now + HOUR_MILLISECONDS,
    idle_expires: now + 24 * HOUR_MILLISECONDS,
    created_at: now,
    proved_at: now,
    epoch: 0,
    username: 'ada',
    device: { browser: 'Firefox', system: 'Linux', kind: 'desktop' },
    place: { country: 'CH', city: 'Bern' },
    ...changes,
  };
}

/** The ids of sessions in an order of their own, so that two sets compare. */
export const idsOf = (sessions: readonly SessionSchema[]) => sessions.map((session) => session.id).sort();
