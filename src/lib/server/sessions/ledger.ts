import { prepare, sql, type Sql } from '../stores/sql';
import { moveBinding, purgeBindings } from './device-key-sql';
import { write } from '../stores/writes';
import { recordEvent, type EventType, type Origin } from './activity';
import { endingOf } from './ending';
import {
  actorStands,
  isKnown,
  notRevoked,
  purge,
  raiseEpoch,
  revoke,
  revokeAllOf,
  rotate,
  type Asked,
} from './ledger-sql';
import { endOfLine } from './line';
import type { Reason, Standing } from './standing';
import { readLastRevoked, readStanding } from './standing-sql';

/** The session that requests a change. A write takes effect only if this session still stands. */
export type Actor = { userId: string; sessionId: string; epoch: number };

/** This browser moves on to the session `successorId`, in epoch `next`. */
export type Rotation = { next: number; successorId: string };

/** Additions by the caller to a write of the ledger: SQL that must hold, and statements for the same batch. */
export type Alongside = { condition: Sql; statements: D1PreparedStatement[] };

export type Account = { id: string; username: string; epoch: number };

export type Ledger = ReturnType<typeof createLedger>;

/** A session whose cookie a request carried. `shown`: KV shows its record. */
export type KnownByCookie = { userId: string; sessionId: string; shown: boolean };

/** A sign-in or sign-up: what is recorded about it, and the session of this browser that it replaces. */
export type Arrival = {
  type: EventType;
  userId: string;
  sessionId: string;
  origin: Origin;
  replaced: KnownByCookie | null;
};

/**
 * The revocation ledger: which sessions have ended. It is in D1, where every later read sees a write. KV decides what might be a session.
 * The ledger decides what still is one. Each write is one statement or one batch (a transaction), which also checks that the session
 * requesting it still stands.
 *
 * @param hasBindings whether sessions may be bound to their device. If not, no bindings are read or written
 * @param hasEvents whether D1 can read its events. If not, sessions are confirmed and ended without the events that only inform the user
 */
export function createLedger(
  db: D1Database,
  { hasBindings, hasEvents = true }: { hasBindings: boolean; hasEvents?: boolean },
) {
  /** The statement that records an end in the user's activity. */
  function told(event: Parameters<typeof recordEvent>[1], condition: Sql): D1PreparedStatement {
    return hasEvents ? recordEvent(db, event, condition) : prepare(db, sql`SELECT 1`);
  }

  /** Moves a session's binding to its successor, at the end of the rotation's batch. */
  function movedBinding(sessionId: string, successor: { epoch: number; successorId: string }) {
    return hasBindings ? [moveBinding(db, sessionId, successor)] : [];
  }

  /**
   * The statements that raise the epoch if `condition` holds, and then record the session that this browser moves on to. The first
   * statement changes a row if it took effect.
   */
  function rotated(actor: Actor, rotation: Rotation, condition: Sql): D1PreparedStatement[] {
    const { next: epoch, successorId } = rotation;
    return [
      ...rotate(db, actor, rotation, condition),
      ...movedBinding(actor.sessionId, { epoch, successorId }),
    ];
  }

  return {
    /** Reads the standing of a user and of some sessions: one query. `null` if there is no such user. */
    standing: (userId: string, sessionIds: string[], from = db): Promise<Standing | null> =>
      readStanding(from, userId, sessionIds, { hasBindings, hasEvents }),

    /** When a session's browser signed in, and what ended the session: one query. */
    endingOf: (session: { userId: string; sessionId: string }) => endingOf(db, session),

    /** Which sessions of a user were revoked last, and why, at most `limit`: one query. */
    lastRevoked: (userId: string, limit: number) => readLastRevoked(db, userId, limit),

    /** The statement that asks whether a session still stands. Put it last in a batch: see `saysItStands`. */
    askWhetherStands(actor: Actor): D1PreparedStatement {
      return prepare(db, sql`SELECT ${actorStands(actor)} AS stands`);
    },

    /** The statements that record an arrival. They take effect only while `condition` holds. */
    arrive(
      { type, userId, sessionId, origin, replaced }: Arrival,
      condition: Sql = sql`TRUE`,
    ): D1PreparedStatement[] {
      const now = Date.now();
      const event = { type, sessionId, ...origin, at: now };
      return [
        recordEvent(db, event, sql`User.id = ${userId} AND ${condition}`),
        ...(replaced
          ? [
              revoke(
                db,
                { id: replaced.sessionId, userId: replaced.userId, reason: 'replaced' },
                sql`${isKnown(replaced.sessionId, replaced.shown)} AND ${condition}`,
              ),
            ]
          : []),
        ...purge(db, now),
        ...(hasBindings ? [purgeBindings(db, now)] : []),
      ];
    },

    /**
     * Ends the session whose cookie a request carried. If that session has rotated its token, ends its latest successor instead. So it does
     * not matter whether the sign-out or the rotation comes first. Holding the token is authorization enough. `ended`: the id of the
     * session that ended, or `null` if none stood. `known`: whether such a session exists or existed; if not, nothing was written.
     */
    async signOut(
      { userId, sessionId, shown }: KnownByCookie,
      origin: Origin,
    ): Promise<{ ended: string | null; known: boolean }> {
      const id = endOfLine(sessionId);
      const known = isKnown(sessionId, shown, hasEvents);
      const holds = sql`${id} IS NOT NULL AND ${known}`;
      const event = { type: 'signed-out', sessionId: id, ...origin, at: Date.now() } as const;
      const [, revoked, asked] = await db.batch<{ id?: string; known?: number }>(
        write('sign-out', [
          told(event, sql`User.id = ${userId} AND ${holds}`),
          revoke(db, { id, userId, reason: 'signed-out' }, holds),
          prepare(db, sql`SELECT ${known} AS known`),
        ]),
      );
      return { ended: revoked?.results[0]?.id ?? null, known: asked?.results[0]?.known === 1 };
    },

    /**
     * Ends one session of the actor's user, given by its id or by SQL that finds it (`endOfLine`). `shown`: KV shows its record. Returns
     * `ended` if this ended it, `already` if it had ended before, and `replaced` if its browser had rotated its token. `unknown`: no such
     * session exists or existed, and nothing was written. `refused`: the acting session itself no longer stands.
     */
    async end(
      actor: Actor,
      session: string | Sql,
      shown: boolean,
      origin: Origin,
    ): Promise<'ended' | 'already' | 'replaced' | 'unknown' | 'refused'> {
      const { userId } = actor;
      const event = { type: 'session-revoked', sessionId: session, ...origin, at: Date.now() } as const;
      const holds = sql`${session} IS NOT NULL AND ${actorStands(actor)} AND ${notRevoked(session)} AND ${isKnown(session, shown, hasEvents)}`;
      const [, ended, asked] = await db.batch<{ id?: string; stands?: number; reason?: Reason | null }>(
        write('end-one', [
          // The event comes first: its condition requires that the session is not revoked yet.
          told(event, sql`User.id = ${userId} AND ${holds}`),
          revoke(db, { id: session, userId, reason: 'revoked' }, holds),
          prepare(
            db,
            sql`SELECT ${actorStands(actor)} AS stands, (SELECT reason FROM RevokedSession WHERE id = ${session}) AS reason`,
          ),
        ]),
      );
      if (ended?.results[0]) return 'ended';
      const { stands: actorStood, reason } = asked?.results[0] ?? {};
      if (actorStood !== 1) return 'refused';
      if (!reason) return 'unknown';
      return reason === 'replaced' ? 'replaced' : 'already';
    },

    /**
     * Ends several sessions of the actor's user in one batch of three statements, however many sessions there are. Returns the ids of those
     * that it ended, without sessions that had ended before or never existed. `refused`: the acting session itself no longer stands.
     */
    async endSome(actor: Actor, asked: Asked[], origin: Origin): Promise<string[] | 'refused'> {
      const results = await db.batch<{ stands: number; ended: string }>(
        write('end-some', revokeAllOf(db, actor, asked, origin, hasEvents)),
      );
      const row = results.at(-1)?.results[0];
      return row?.stands === 1 ? (JSON.parse(row.ended) as string[]) : 'refused';
    },

    /**
     * Replaces the acting session by one that was just stored. Returns false if the acting session no longer stands. Then the stored one is
     * revoked at once, because KV may list its record for a while.
     */
    async replace(actor: Actor, successorId: string): Promise<boolean> {
      const { userId, sessionId, epoch } = actor;
      const [, replaced] = await db.batch(
        write('step-up', [
          revoke(db, { id: successorId, userId, reason: 'replaced' }, sql`NOT ${actorStands(actor)}`),
          revoke(
            db,
            { id: sessionId, userId, reason: 'replaced', replacedBy: successorId },
            actorStands(actor),
          ),
          ...movedBinding(sessionId, { epoch, successorId }),
        ]),
      );
      return replaced?.meta.changes === 1;
    },

    /**
     * Ends every session of the actor's user in one write, by raising the epoch to `next` (`nextEpoch`). Returns false if the actor no
     * longer stands; then nothing happened.
     */
    async endAll(actor: Actor, next: number, origin: Origin): Promise<boolean> {
      const event = { type: 'all-revoked', sessionId: actor.sessionId, ...origin, at: Date.now() } as const;
      const [, raised] = await db.batch(
        write('end-all', [
          told(event, sql`User.id = ${actor.userId} AND ${actorStands(actor)}`),
          raiseEpoch(db, actor, next, actorStands(actor)),
        ]),
      );
      return raised?.meta.changes === 1;
    },

    rotate: rotated,

    /** Like `endAll`, but this browser moves on to its successor. Also returns false if the caller's condition does not hold. */
    async endOthers(
      actor: Actor,
      rotation: Rotation,
      alongside: Alongside,
      origin: Origin,
    ): Promise<boolean> {
      const { userId, sessionId } = actor;
      const event = { type: 'others-revoked', sessionId, ...origin, at: Date.now() } as const;
      const holds = sql`${actorStands(actor)} AND ${alongside.condition}`;
      const [, raised] = await db.batch(
        write('end-others', [
          told(event, sql`User.id = ${userId} AND ${holds}`),
          ...rotated(actor, rotation, holds),
          ...alongside.statements,
        ]),
      );
      return raised?.meta.changes === 1;
    },
  };
}

/** Whether the session that the batch's last statement asked about stands. */
export function saysItStands(results: D1Result<unknown>[]): boolean {
  const [row] = (results.at(-1)?.results ?? []) as { stands?: number }[];
  return row?.stands === 1;
}
