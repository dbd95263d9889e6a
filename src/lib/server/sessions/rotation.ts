import type { SessionSchema } from 'lucia';
import { StoreUnavailable } from '../stores/guarded';
import type { Deeds } from '../stores/writes';
import type { Background } from './background';
import { confirmed, type ConfirmedSession } from './confirmed';
import { sessionEnded } from './current';
import { nextEpoch } from './epoch';
import type { Account, Actor, Ledger, Rotation } from './ledger';
import { endingInTime, renewedPeriods } from './lifetime';
import { createList, type Others } from './list';
import type { SessionLucia } from './lucia';
import type { SessionRecords } from './records';
import type { RequestFacts } from './request-facts';
import type { ThisBrowser } from './this-browser';
import { createToken, sessionIdFor } from './token';

/** A session before it is stored. Its id is known already, and only this request knows its token. */
export type NewSession = { sessionId: string; token: string };

export type SessionParts = {
  db: D1Database;
  facts: RequestFacts;
  lucia: SessionLucia;
  ledger: Ledger;
  records: SessionRecords;
  browser: ThisBrowser;
  background: Background;
  deeds: Deeds;
};

/** Stores sessions and rotates this browser's token. */
export function createRotation({ lucia, ledger, records, browser, background, deeds }: SessionParts) {
  const list = createList({ lucia, ledger, records });

  /** Stores a session. Nobody has its token before its cookie is sent. */
  async function store(
    { id, username, epoch }: Account,
    { sessionId }: NewSession,
    notes: SessionNotes,
  ): Promise<ConfirmedSession> {
    const record: SessionSchema = {
      id: sessionId,
      user_id: id,
      username,
      epoch,
      ...notes,
      ...renewedPeriods(),
    };
    try {
      await records.store(record);
    } catch (error) {
      // KV may have stored the record although its answer was lost.
      background.remove(() => [sessionId]);
      throw error;
    }
    const user = { userId: id, username };
    return confirmed(endingInTime(lucia.transformDatabaseSession(record, { user, fresh: false })));
  }

  /** Stores the session that replaces the current one. */
  function storeSuccessor(
    { user, created_at, device, place, name }: ConfirmedSession,
    successor: NewSession,
    { epoch, proved_at }: { epoch: number; proved_at: number },
  ): Promise<ConfirmedSession> {
    const account = { id: user.userId, username: user.username, epoch };
    return store(account, successor, { created_at, proved_at, device, place, ...(name && { name }) });
  }

  return {
    store,

    /**
     * Ends every session by `raise`, which makes the ledger raise the epoch and returns whether it did. This browser moves on to the new
     * epoch, under a new token and id. The old records are deleted. `refused`: the ledger did not raise the epoch.
     */
    async rotateAll(
      current: ConfirmedSession,
      proved_at: number,
      raise: (rotation: Rotation) => Promise<boolean>,
    ): Promise<Others | 'refused'> {
      const next = nextEpoch(current.epoch);
      const successor = newSession(current.user.userId);
      const { sessionId: successorId } = successor;
      // These run in parallel. The successor's record is not a valid session until the ledger has raised the epoch.
      const [listed, [raised, stored]] = await Promise.all([
        list.others(current),
        Promise.allSettled([
          raise({ next, successorId }),
          storeSuccessor(current, successor, { epoch: next, proved_at }),
        ]),
      ]);
      const goesOn = raised.status === 'fulfilled' && raised.value;
      // Also if the ledger raised the epoch and only its answer was lost: nobody has that session's token.
      if (!goesOn && stored.status === 'fulfilled') background.remove(() => [successorId]);
      if (raised.status === 'rejected') throw raised.reason;
      if (!raised.value) return 'refused';
      background.remove(() => [current.sessionId, ...(listed?.ids ?? [])]);
      if (stored.status === 'rejected') {
        deeds.set('sign-in-here', 'unknown');
        throw stored.reason;
      }
      browser.goOnAs(stored.value, successor.token);
      return listed;
    },

    /**
     * Rotates the token after the password was given: the old token is dead (ASVS 7.2.4). If KV does not accept a new session, the browser
     * keeps the old one, with a proof for this request only. So other sessions can be ended even then.
     */
    async rotate(current: ConfirmedSession): Promise<ConfirmedSession> {
      const proved = { epoch: current.epoch, proved_at: Date.now() };
      const next = newSession(current.user.userId);
      const successor = await storeSuccessor(current, next, proved).catch((error: unknown) => {
        if (error instanceof StoreUnavailable) return null;
        throw error;
      });
      if (!successor) return { ...current, ...proved };
      let goesOn = false;
      try {
        goesOn = await ledger.replace(actorOf(current), successor.sessionId);
      } finally {
        // Only the record of this browser's session is kept.
        background.remove(() => [goesOn ? current.sessionId : successor.sessionId]);
      }
      if (!goesOn) sessionEnded();
      browser.goOnAs(successor, next.token);
      return successor;
    },
  };
}

type SessionNotes = Omit<Lucia.DatabaseSessionAttributes, 'username' | 'epoch'>;

/** Draws a token for a new session of this user. Nothing is stored yet. */
export function newSession(userId: string): NewSession {
  const token = createToken();
  return { token, sessionId: sessionIdFor(userId, token) };
}

export function actorOf({ user, sessionId, epoch }: ConfirmedSession): Actor {
  return { userId: user.userId, sessionId, epoch };
}
