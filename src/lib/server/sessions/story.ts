import type { SessionView } from '$lib/session-view';
import { join, prepare, sql } from '../stores/sql';
import {
  BIRTHS,
  readEvents,
  readOrigin,
  selectEventsOfLine,
  type EventRow,
  type EventType,
  type Origin,
  type SecurityEvent,
} from './activity';
import type { ConfirmedSession } from './confirmed';
import { readSession } from './current';
import type { Ledger } from './ledger';
import { stands, type Reason } from './standing';
import { endOfLine, idsOfLine, lineOf } from './line';
import { viewOf } from './list';
import type { SessionLucia } from './lucia';
import { isSessionIdOf } from './token';

/** One sign-in from beginning to end, however often its browser rotated its token. Times are epoch milliseconds. */
export type SessionStory = {
  /** The session as it is now. `null` if it has ended, or if KV does not show it here. */
  session: SessionView | null;
  /** When the password was last given in this session. */
  provedAt: number | null;
  /** `null` if D1 has no row of its sign-in. */
  began: (Origin & { type: EventType; at: number }) | null;
  /** Also `null` if another kind of write ended it: one that ended all sessions, or all others. */
  ended: { at: number; reason: Reason } | null;
  /** When the user last said that a use of this session was not them. */
  deniedAt: number | null;
  /** When the password was last changed. */
  passwordChangedAt: number | null;
  /** The latest events, newest first. */
  events: SecurityEvent[];
};

type AboutLine = {
  line: string;
  live: string | null;
  type: EventType | null;
  device: string | null;
  place: string | null;
  at: number | null;
  ended_at: number | null;
  reason: Reason | null;
  denied_at: number | null;
  password_changed_at: number | null;
};

/**
 * Returns the story of one of the user's sessions, by any id of its line. `null` for an unknown id or somebody else's. Takes one batch and
 * then, for the live session, one D1 query and one KV read in parallel.
 */
export async function sessionStory(
  { db, lucia, ledger }: { db: D1Database; lucia: SessionLucia; ledger: Ledger },
  current: ConfirmedSession,
  sessionId: string,
): Promise<SessionStory | null> {
  const { userId } = current.user;
  if (!isSessionIdOf(userId, sessionId)) return null;
  const [about, events] = await db.batch([
    selectLine(db, userId, sessionId),
    selectEventsOfLine(db, userId, lineOf(sessionId)),
  ]);
  const [line] = (about?.results ?? []) as AboutLine[];
  const live = line?.live ?? null;
  const isCurrent = live === current.sessionId;
  const [session, standing] = live
    ? await Promise.all([isCurrent ? current : readSession(lucia, live), ledger.standing(userId, [live])])
    : [null, null];
  const began = line ? beginningOf(line) : null;
  if (!session && !began && !line?.reason) return null;
  const told = readEvents((events?.results ?? []) as EventRow[]);
  return {
    session: session && stands(session, standing) ? viewOf(session, isCurrent, standing) : null,
    provedAt: session ? session.proved_at : null,
    began,
    ended:
      line?.reason && line.ended_at !== null
        ? { at: line.ended_at, reason: reasonOf(line.reason, told) }
        : null,
    deniedAt: line?.denied_at ?? null,
    passwordChangedAt: line?.password_changed_at ?? null,
    events: told,
  };
}

/** If a browser signs in again after its session was ended, the ledger's reason becomes `replaced`. The events still say how it ended. */
function reasonOf(reason: Reason, events: SecurityEvent[]): Reason {
  return events.some(({ type }) => type === 'session-revoked') ? 'revoked' : reason;
}

function beginningOf({ type, device, place, at }: AboutLine): SessionStory['began'] {
  return type && device && place && at !== null ? { type, at, ...readOrigin({ device, place }) } : null;
}

function selectLine(db: D1Database, userId: string, sessionId: string): D1PreparedStatement {
  return prepare(
    db,
    sql`SELECT this.line, this.live, birth.type, birth.device, birth.place, birth.at, last.revoked_at AS ended_at, last.reason,
          (SELECT max(at) FROM SecurityEvent WHERE session_id = this.line AND type = 'move-denied') AS denied_at,
          (SELECT at FROM SecurityEvent WHERE user_id = ${userId} AND type = 'password-changed'
           ORDER BY id DESC LIMIT 1) AS password_changed_at
        FROM (SELECT ${lineOf(sessionId)} AS line, ${endOfLine(sessionId)} AS live) AS this
        LEFT JOIN SecurityEvent AS birth ON birth.session_id = this.line AND birth.type IN (${join([...BIRTHS])})
        LEFT JOIN RevokedSession AS last
          ON last.id IN (${idsOfLine(sql`this.line`)}) AND last.replaced_by IS NULL`,
  );
}
