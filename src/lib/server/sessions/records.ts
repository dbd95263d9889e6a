import { setTimeout } from 'node:timers/promises';
import type { SessionAdapter, SessionSchema } from 'lucia';
import { StoreUnavailable } from '../stores/guarded';
import type { Deeds } from '../stores/writes';
import type { Ledger } from './ledger';
import { stands, type Confirmed } from './standing';
import { endingByAbsoluteLimit } from './lifetime';
import { KV_WRITE_INTERVAL_MILLISECONDS } from '../policy';

export type SessionRecords = ReturnType<typeof createSessionRecords>;

/** A user's records as KV lists them. `more`: KV has others, which were not read (`SESSIONS_LISTED_MAX`). */
export type ListedRecords = { sessions: SessionSchema[]; more: boolean };

/**
 * The session records of one request in KV. A record that this request read or wrote is not read again, because KV does not guarantee to
 * read its own writes.
 */
export function createSessionRecords(
  kv: SessionAdapter,
  ledger: Ledger,
  list: (userId: string) => Promise<ListedRecords>,
  deeds: Deeds,
) {
  const seen = new Map<string, Promise<SessionSchema | null>>();

  return {
    /** Reads the record as KV shows it here and now, unconfirmed; `null` if it shows none. */
    read(sessionId: string): Promise<SessionSchema | null> {
      const reading = seen.get(sessionId) ?? kv.getSession(sessionId);
      seen.set(sessionId, reading);
      return reading;
    },

    /** Returns a user's records as KV lists them, except those that this request knows better. */
    async list(userId: string): Promise<ListedRecords> {
      const { sessions, more } = await list(userId);
      const known = new Map<string, SessionSchema | null>();
      for (const [id, reading] of seen) known.set(id, await reading.catch(() => null));
      return { sessions: sessions.map((listed) => known.get(listed.id) ?? listed), more };
    },

    async store(session: SessionSchema): Promise<void> {
      const bounded = endingByAbsoluteLimit(session);
      await kv.setSession(bounded);
      seen.set(session.id, Promise.resolve(bounded));
    },

    /**
     * Writes a renewal or a new name. Between our read and our write, the session may be revoked, or the one that asks for the change
     * (`asker`). Our write would then bring an ended record back. So it writes first, then asks the ledger, and undoes the write if the
     * ledger says no. If KV does not accept a renewal (it is down, out of writes, or another request wrote in the same second), the session
     * stays as it is. For a name this throws.
     *
     * @returns the record as it is now. `ended`: its session has ended. `refused`: the asking session has ended, and the caller must call
     *   `takeBack`
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

    /** Restores a record after a `rewrite` that was refused. KV may reject a second write of a key within a second, so this tries twice. */
    async takeBack(record: SessionSchema): Promise<void> {
      await kv.setSession(record).catch(async () => {
        await setTimeout(KV_WRITE_INTERVAL_MILLISECONDS);
        await kv.setSession(record);
      });
    },

    remove: (sessionId: string): Promise<void> => kv.deleteSession(sessionId),
  };
}
