import { prepare, sql } from '../stores/sql';
import { BIRTHS, type EventType, type SecurityEvent } from './activity';

/** What ended a session: which event, on which device and where, and when (epoch milliseconds). */
export type Ending = Pick<SecurityEvent, 'type' | 'device' | 'place' | 'at'>;

/** Events that end one session, and events that raise the user's epoch and so end every earlier session. */
const ENDS_ONE = ['session-revoked', 'signed-out'] as const satisfies EventType[];
const ENDS_ALL_BEFORE = [
  'others-revoked',
  'password-changed',
  'all-revoked',
  'ended-by-operator',
] as const satisfies EventType[];

/**
 * Returns what D1 recorded about a session's beginning and end: one query, for anyone who holds its token. KV does not have to show the
 * session. A session that never existed has neither, so a made-up id reveals nothing.
 *
 * A session belongs to the epoch in which its line last began: at a sign-up, a sign-in, or a rotation that raised the epoch. Event ids
 * follow the order in which D1 wrote the events, each in one batch with what it records. So no clocks are compared.
 */
export async function endingOf(
  db: D1Database,
  { userId, sessionId }: { userId: string; sessionId: string },
): Promise<{ signedInAt: number | null; ending: Ending | null }> {
  const began = JSON.stringify([...BIRTHS, 'others-revoked', 'password-changed']);
  const row = await prepare(
    db,
    sql`WITH RECURSIVE
          line (id) AS (
            SELECT ${sessionId}
            UNION SELECT RevokedSession.id FROM RevokedSession JOIN line ON replaced_by = line.id),
          beginning (id, at) AS (
            SELECT MAX(id), MIN(at) FROM SecurityEvent
            WHERE session_id IN (SELECT id FROM line) AND type IN (SELECT value FROM json_each(${began}))),
          ends (id) AS (
            SELECT MIN(id) FROM SecurityEvent
            WHERE session_id = ${sessionId} AND type IN (SELECT value FROM json_each(${JSON.stringify(ENDS_ONE)}))
            UNION ALL
            SELECT MIN(id) FROM SecurityEvent
            WHERE user_id = ${userId} AND id > (SELECT id FROM beginning)
              AND type IN (SELECT value FROM json_each(${JSON.stringify(ENDS_ALL_BEFORE)})))
        SELECT beginning.at AS signedInAt, ended.type, ended.device, ended.place, ended.at
        FROM beginning LEFT JOIN SecurityEvent AS ended ON ended.id = (SELECT MIN(id) FROM ends)`,
  ).first<{ signedInAt: number | null } & EndingRow>();
  if (!row || row.type === null) return { signedInAt: row?.signedInAt ?? null, ending: null };
  const { signedInAt, type, device, place, at } = row;
  return { signedInAt, ending: { type, device: JSON.parse(device), place: JSON.parse(place), at } };
}

type EndingRow =
  | { type: EventType; device: string; place: string; at: number }
  | { type: null; device: null; place: null; at: null };
