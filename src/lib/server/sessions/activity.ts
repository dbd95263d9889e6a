import type { Device, Place } from '$lib/session-view';
import { join, prepare, sql, type Sql } from '../stores/sql';
import { idsOfLine, lineOf } from './line';
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
  'session-moved',
  'move-accepted',
  'move-denied',
  'others-revoked',
  'all-revoked',
  'password-changed',
  'ended-by-operator',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** The device and place of the request that caused an event. */
export type Origin = { device: Device; place: Place };

/** One line of the activity page. `at` is epoch milliseconds. `sessionId` is the session it is about. */
export type SecurityEvent = {
  id: number;
  type: EventType;
  sessionId: string | null;
  /** The first id of the session's line: the same for all tokens of one sign-in. */
  line: string | null;
  /** Whether the event is about the session that asks for the list. */
  own: boolean;
  /** Where that session was signed in. Set for events that another browser may have caused: the session was ended or used elsewhere. */
  signedIn: Origin | null;
  device: Device;
  place: Place;
  at: number;
};

/** `sessionId` may be SQL that finds it. */
type NewEvent = Origin & { type: EventType; sessionId: string | Sql | null; at: number };

/** Sign-ins and sign-ups. The ledger recognizes a session by these events, so they are kept as long as the session can live. */
export const BIRTHS = ['signed-up', 'signed-in', 'signed-in-new-device'] as const satisfies EventType[];

/**
 * The statement that records an event for the user that `condition` finds (in terms of `User`). Put it into the batch of the write it
 * records, so that both are written or neither.
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

/** Returns a page of a user's events, newest first. `before`: the id of the last event already seen. `asking`: the session that asks. */
export async function listEvents(
  db: D1Database,
  userId: string,
  before: number | null,
  asking: string | null = null,
): Promise<{ events: SecurityEvent[]; more: boolean }> {
  const events = await eventsOf(
    selectEvents(
      db,
      sql`user_id = ${userId} AND id < ${before ?? Number.MAX_SAFE_INTEGER}`,
      EVENTS_PER_PAGE + 1,
      asking,
    ),
  );
  return { events: events.slice(0, EVENTS_PER_PAGE), more: events.length > EVENTS_PER_PAGE };
}

/** Returns the newest `EVENTS_IN_DOWNLOAD_MAX` events of a user for their download: one query. `more`: there are older ones. */
export async function listEventsForDownload(
  db: D1Database,
  userId: string,
): Promise<{ events: SecurityEvent[]; more: boolean }> {
  const events = await eventsOf(selectEvents(db, sql`user_id = ${userId}`, EVENTS_IN_DOWNLOAD_MAX + 1));
  return { events: events.slice(0, EVENTS_IN_DOWNLOAD_MAX), more: events.length > EVENTS_IN_DOWNLOAD_MAX };
}

/** The statement that reads the newest events of a line, for `readEvents`. */
export function selectEventsOfLine(db: D1Database, userId: string, line: Sql): D1PreparedStatement {
  return selectEvents(db, sql`user_id = ${userId} AND session_id IN (${idsOfLine(line)})`, EVENTS_PER_PAGE);
}

/** Events about a session that another browser may have caused. */
const ABOUT_ANOTHER = [
  'session-revoked',
  'session-moved',
  'move-accepted',
  'move-denied',
] as const satisfies EventType[];

export type EventRow = {
  id: number;
  type: EventType;
  session_id: string | null;
  line: string | null;
  own: number;
  signed_in_device: string | null;
  signed_in_place: string | null;
  device: string;
  place: string;
  at: number;
};

function selectEvents(
  db: D1Database,
  condition: Sql,
  limit: number,
  asking: string | null = null,
): D1PreparedStatement {
  return prepare(
    db,
    sql`SELECT event.*, event.line IS ${asking && lineOf(asking)} AS own, birth.device AS signed_in_device, birth.place AS signed_in_place
        FROM (SELECT id, type, session_id, device, place, at, ${lineOf(sql`SecurityEvent.session_id`)} AS line
              FROM SecurityEvent
              WHERE ${condition} AND at > ${Date.now() - EVENTS_KEPT_MILLISECONDS}
              ORDER BY id DESC LIMIT ${limit}) AS event
        LEFT JOIN SecurityEvent AS birth
          ON birth.session_id = event.line AND birth.type IN (${join([...BIRTHS])}) AND event.type IN (${join([...ABOUT_ANOTHER])})
        ORDER BY event.id DESC`,
  );
}

async function eventsOf(statement: D1PreparedStatement): Promise<SecurityEvent[]> {
  return readEvents((await statement.all<EventRow>()).results);
}

export function readEvents(rows: EventRow[]): SecurityEvent[] {
  return rows.map(({ session_id, own, signed_in_device, signed_in_place, device, place, ...event }) => ({
    ...event,
    sessionId: session_id,
    own: session_id !== null && own === 1,
    signedIn:
      signed_in_device && signed_in_place
        ? readOrigin({ device: signed_in_device, place: signed_in_place })
        : null,
    ...readOrigin({ device, place }),
  }));
}

/** Parses a stored device and place and makes them safe to show. */
export function readOrigin({ device, place }: { device: string; place: string }): Origin {
  return { device: shownDevice(JSON.parse(device) as Device), place: shownPlace(JSON.parse(place) as Place) };
}

/** Writes one JSON line to the log, without token, password or address (ASVS 16.2.5). */
export function logEvent(
  type: EventType | 'account-deleted' | 'throttled',
  details: Record<string, unknown> = {},
): void {
  console.log(JSON.stringify({ event: type, ...details, at: new Date().toISOString() }));
}
