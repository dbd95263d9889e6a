import { setTimeout } from 'node:timers/promises';
import type { SessionAdapter, SessionSchema } from 'lucia';
import { StoreUnavailable } from '../stores/guarded';
import type { Deeds } from '../stores/writes';
import type { Ledger } from './ledger';
import { stands, type Confirmed } from './standing';
import { endingByAbsoluteLimit } from './lifetime';
import { KV_WRITE_INTERVAL_MILLISECONDS } from '../policy';

export type SessionRecords = ReturnType<typeof createSessionRecords>;

/**
 * The session records of one request in KV. A record that this request read or wrote is not read again: KV promises no read
 * after a write.
 */
export function createSessionRecords(
  kv: SessionAdapter,
  ledger: Ledger,
  list: (userId: string) => Promise<SessionSchema[]>,
  deeds: Deeds,
) {
  const seen = new Map<string, Promise<SessionSchema | null>>();

  return {
    /** The record as KV shows it here and now, unconfirmed; `null` when it shows none. */
    read(sessionId: string): Promise<SessionSchema | null> {
      const reading = seen.get(sessionId) ?? kv.getSession(sessionId);
      seen.set(sessionId, reading);
      return reading;
    },

    /** A user's records as KV lists them, some `SESSIONS_LISTED_MAX` at the most. */
    list,

    async store(session: SessionSchema): Promise<void> {
      const bounded = endingByAbsoluteLimit(session);
      await kv.setSession(bounded);
      seen.set(session.id, Promise.resolve(bounded));
    },

    /**
     * A renewal, or a new name. The session, or the one that asks for it (`asker`), may be revoked between our read and our write, and our
     * write would bring an ended record back: so write first, then ask the ledger, and take back what was written if it says no.
     * A renewal that KV does not take (down, out of writes, another request's in this second) leaves the session as it is; a name throws.
     *
     * @returns the record as it is now; `ended`: its session has ended; `refused`: the asking session has, and `takeBack` is due
     */
    async rewrite(
      record: SessionSchema,
      changes: Partial<SessionSchema>,
      asker?: Confirmed,
    ): Promise<SessionSchema | 'ended' | 'refused'> {
      const changed = endingByAbsoluteLimit({ ...record, ...changes });
      let kept = changed;
      if (asker) deeds.set('rename', 'unknown');
      try {
        await kv.setSession(changed);
      } catch (error) {
        if (asker || !(error instanceof StoreUnavailable)) throw error;
        kept = record;
      }
      const own = { sessionId: kept.id, epoch: kept.epoch, created_at: kept.created_at };
      const standing = await ledger.standing(record.user_id, [kept.id, ...(asker ? [asker.sessionId] : [])]);
      if (!stands(own, standing)) {
        await kv.deleteSession(kept.id);
        deeds.delete('rename');
        return 'ended';
      }
      if (asker && !stands(asker, standing)) return 'refused';
      if (asker) deeds.set('rename', 'done');
      seen.set(kept.id, Promise.resolve(kept));
      return kept;
    },

    /** Writes a record as it was before a `rewrite` that was refused. KV may refuse a second write of a key within a second. */
    async takeBack(record: SessionSchema): Promise<void> {
      await kv.setSession(record).catch(async () => {
        await setTimeout(KV_WRITE_INTERVAL_MILLISECONDS);
        await kv.setSession(record);
      });
    },

    remove: (sessionId: string): Promise<void> => kv.deleteSession(sessionId),
  };
}
