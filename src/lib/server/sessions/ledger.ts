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
import { readRevoked, readStanding } from './standing-sql';

/** The session that asks for a change. A write that carries it happens only if that session still stands. */
export type Actor = { userId: string; sessionId: string; epoch: number };

/** This browser goes on in epoch `next`, as another session. */
export type Rotation = { next: number; successorId: string };

/** What a caller asks for beside what the ledger asks itself: SQL that must hold, and statements of the same batch. */
export type Alongside = { condition: Sql; statements: D1PreparedStatement[] };

export type Account = { id: string; username: string; epoch: number };

export type Ledger = ReturnType<typeof createLedger>;

/** A session whose cookie a request carried. `shown`: KV shows its record. */
export type KnownByCookie = { userId: string; sessionId: string; shown: boolean };

/** A sign-in or sign-up: what is recorded of it, and the session of this browser that it replaces. */
export type Arrival = {
  type: EventType;
  userId: string;
  sessionId: string;
  origin: Origin;
  replaced: KnownByCookie | null;
};

/**
 * The revocation ledger: which sessions have ended, in D1, where a write is seen by every later read.
 * KV decides what might be a session; this decides what still is one. Each write is one statement or one batch
 * (a transaction), and checks in the same breath that the session asking for it still stands.
 *
 * @param hasBindings whether sessions may be bound to their device; if not, nothing is asked or written of it
 * @param hasEvents whether D1 can read its events; if not, sessions are confirmed and ended without what is only told of them
 */
export function createLedger(
  db: D1Database,
  { hasBindings, hasEvents = true }: { hasBindings: boolean; hasEvents?: boolean },
) {
  /** The statement that tells of an end in the user's activity. */
  function told(event: Parameters<typeof recordEvent>[1], condition: Sql): D1PreparedStatement {
    return hasEvents ? recordEvent(db, event, condition) : prepare(db, sql`SELECT 1`);
  }

  /** The binding of a session goes on with its browser: at the end of the rotation's batch. */
  function movedBinding(sessionId: string, successor: { epoch: number; successorId: string }) {
    return hasBindings ? [moveBinding(db, sessionId, successor)] : [];
  }

  /**
   * The statements that raise the epoch if `condition` holds, and then note as what session this browser goes on. The first one changes a row if
   * it took effect.
   */
  function rotated(actor: Actor, rotation: Rotation, condition: Sql): D1PreparedStatement[] {
    const { next: epoch, successorId } = rotation;
    return [
      ...rotate(db, actor, rotation, condition),
      ...movedBinding(actor.sessionId, { epoch, successorId }),
    ];
  }

  return {
    /** Of a user and some sessions: one query. `null` when there is no such user. */
    standing: (userId: string, sessionIds: string[], from = db): Promise<Standing | null> =>
      readStanding(from, userId, sessionIds, { hasBindings, hasEvents }),

    /** When a session's browser signed in, and what ended it: one query. */
    endingOf: (session: { userId: string; sessionId: string }) => endingOf(db, session),

    /** Which of these sessions were revoked, and why: one query. */
    revokedAmong: (sessionIds: string[]) => readRevoked(db, sessionIds),

    /** The question whether a session still stands, for the end of a batch: see `saysItStands`. */
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
     * Ends the session whose cookie a request carried, or, if that has rotated its token, what it goes on as: so it does not matter whether
     * the sign-out or the rotation comes first. Holding the token is authorization enough.
     * `ended`: the id of what ended; `null` when nothing stood. `known`: whether there has been such a session; otherwise nothing was written.
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
     * Ends one session of the actor's user, given by its id or by SQL that finds it (`endOfLine`). `shown`: KV shows its record.
     * `ended`: it is now. `already`: it was. `replaced`: it was, and its browser goes on under another token. `unknown`: there has been no
     * such session, and nothing was written. `refused`: the acting session itself no longer stands.
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
          // The event first: that the session was not revoked yet is what makes it one.
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
     * Ends several sessions of the actor's user in one batch of three statements, however many they are. Returns the ids of those that
     * ended; one that had ended before, or that there never was, is not among them. `refused`: the acting session itself no longer stands.
     */
    async endSome(actor: Actor, asked: Asked[], origin: Origin): Promise<string[] | 'refused'> {
      const results = await db.batch<{ stands: number; ended: string }>(
        write('end-some', revokeAllOf(db, actor, asked, origin, hasEvents)),
      );
      const row = results.at(-1)?.results[0];
      return row?.stands === 1 ? (JSON.parse(row.ended) as string[]) : 'refused';
    },

    /**
     * Lets a session that was just stored take the acting one's place. False if that no longer stands: then the successor is
     * revoked at once, as KV may list its record for a while yet.
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
     * Ends every session of the actor's user in one write, by raising their epoch to `next` (`nextEpoch`).
     * False if the actor no longer stands; then nothing happened.
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

    /** As `endAll`, but this browser goes on as its successor. Also false if the caller's condition does not hold. */
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

/** Whether the session that a batch's last statement asked about stands. */
export function saysItStands(results: D1Result<unknown>[]): boolean {
  const [row] = (results.at(-1)?.results ?? []) as { stands?: number }[];
  return row?.stands === 1;
}
