import type { Device, Place } from '$lib/session-view';
import { prepare, sql, type Sql } from '../stores/sql';
import { shownDevice, shownPlace } from './readable';
import { EVENTS_IN_DOWNLOAD_MAX, EVENTS_KEPT_MILLISECONDS, EVENTS_PER_PAGE } from '../policy';

export const EVENT_TYPES = [
  'signed-up',
  'signed-in',
  'signed-in-new-device',
  'sign-in-failed',
  'proof-failed',
  'device-proof-failed',
  'signed-out',
  'session-revoked',
  'others-revoked',
  'all-revoked',
  'password-changed',
  'ended-by-operator',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Who did it: the device and place of the request. */
export type Origin = { device: Device; place: Place };

/** One line of the activity page. `at` is epoch milliseconds; `sessionId` the session it is about. */
export type SecurityEvent = {
  id: number;
  type: EventType;
  sessionId: string | null;
  device: Device;
  place: Place;
  at: number;
};

/** `sessionId` may be SQL that finds it. */
type NewEvent = Origin & { type: EventType; sessionId: string | Sql | null; at: number };

/** Sign-ins and sign-ups: what the ledger knows a session by, so they are kept as long as that session can live. */
export const BIRTHS = ['signed-up', 'signed-in', 'signed-in-new-device'] as const satisfies EventType[];

/**
 * The statement that records an event of the user that `condition` finds (in terms of `User`). It goes into the batch of what
 * it records, so that both are written or neither.
 */
export function recordEvent(
  db: D1Database,
  { type, sessionId, device, place, at }: NewEvent,
  condition: Sql,
): D1PreparedStatement {
  return prepare(
    db,
    sql`INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at)
        SELECT User.id, ${type}, ${sessionId}, ${JSON.stringify(device)}, ${JSON.stringify(place)}, ${at}
        FROM User WHERE ${condition}`,
  );
}

/** A page of a user's events, the newest first; `before` is the id of the last one seen. */
export async function listEvents(
  db: D1Database,
  userId: string,
  before: number | null,
): Promise<{ events: SecurityEvent[]; more: boolean }> {
  const events = await selectEvents(db, userId, before, EVENTS_PER_PAGE + 1);
  return { events: events.slice(0, EVENTS_PER_PAGE), more: events.length > EVENTS_PER_PAGE };
}

/** The newest `EVENTS_IN_DOWNLOAD_MAX` of a user's events, for their download: one query. `more`: there are older ones. */
export async function listEventsForDownload(
  db: D1Database,
  userId: string,
): Promise<{ events: SecurityEvent[]; more: boolean }> {
  const events = await selectEvents(db, userId, null, EVENTS_IN_DOWNLOAD_MAX + 1);
  return { events: events.slice(0, EVENTS_IN_DOWNLOAD_MAX), more: events.length > EVENTS_IN_DOWNLOAD_MAX };
}

type EventRow = {
  id: number;
  type: EventType;
  session_id: string | null;
  device: string;
  place: string;
  at: number;
};

async function selectEvents(
  db: D1Database,
  userId: string,
  before: number | null,
  limit: number,
): Promise<SecurityEvent[]> {
  const { results } = await prepare(
    db,
    sql`SELECT id, type, session_id, device, place, at FROM SecurityEvent
        WHERE user_id = ${userId} AND id < ${before ?? Number.MAX_SAFE_INTEGER}
          AND at > ${Date.now() - EVENTS_KEPT_MILLISECONDS}
        ORDER BY id DESC LIMIT ${limit}`,
  ).all<EventRow>();
  return results.map(({ session_id, device, place, ...event }) => ({
    ...event,
    sessionId: session_id,
    device: shownDevice(JSON.parse(device) as Device),
    place: shownPlace(JSON.parse(place) as Place),
  }));
}

/** One JSON line for the log, without token, password or address (ASVS 16.2.5). */
export function logEvent(
  type: EventType | 'account-deleted' | 'throttled',
  details: Record<string, unknown> = {},
): void {
  console.log(JSON.stringify({ event: type, ...details, at: new Date().toISOString() }));
}
