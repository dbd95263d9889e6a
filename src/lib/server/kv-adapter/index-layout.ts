/**
 * Layout `index`: one record per session, and one per user that lists the user's session ids.
 *
 *   session:<session id>      JSON of Lucia's SessionSchema
 *   user_sessions:<user id>   JSON array of session ids
 *
 * Accepted race: KV has no compare-and-set, serves old values for a minute or more, and takes one write a second per
 * key, while the list is read, changed and written. Of two sign-ins of one user at the same moment, one may not get into
 * the list, and a sign-in may fail with KV's 429. A session that is not in the list works, and ends by itself, but neither
 * a listing nor `deleteSessionsByUserId` finds it. People seldom sign in twice within a minute; where that must be right,
 * use the owner layout. The same for `updateSession`: it writes what it read, so a delete in between is undone.
 */
import type { LuciaErrorConstructor, SessionAdapter, SessionSchema } from 'lucia';
import { kvExpiration } from './expiration.js';
import { kvKey, requireKvKey, type KvPrefixes } from './keys.js';
import { isLive, parseIndex, parseSession, serializeSession } from './record.js';
import { deleteRecords, readRecords, type SessionKV } from './session-kv.js';

export function indexLayout(
  kv: SessionKV,
  prefixes: KvPrefixes,
  LuciaError: LuciaErrorConstructor,
): SessionAdapter {
  const sessionKey = (sessionId: string) => kvKey(prefixes.session, sessionId);
  const indexKey = (userId: string) => kvKey(prefixes.userSessions, userId);

  /** The live ones of these sessions of a user. */
  const readLive = async (userId: string, sessionIds: string[]): Promise<SessionSchema[]> => {
    const keys = sessionIds.map(sessionKey).filter((key) => key !== null);
    const records = await readRecords(kv, keys);
    return sessionIds
      .map((id) => parseSession(records.get(`${prefixes.session}:${id}`), id))
      .filter((session) => session !== null)
      .filter((session) => session.user_id === userId && isLive(session));
  };

  /** The list lives as long as its last session. */
  const writeIndex = async (key: string, sessions: SessionSchema[]): Promise<void> => {
    if (sessions.length === 0) return kv.delete(key);
    const lastExpires = Math.max(...sessions.map((session) => session.idle_expires));
    const ids = sessions.map((session) => session.id);
    await kv.put(key, JSON.stringify(ids), { expiration: kvExpiration(lastExpires) });
  };

  /** Puts a session at the end of its user's list, or takes it out; ended ones go with it. */
  const updateIndex = async (key: string, userId: string, sessionId: string, session?: SessionSchema) => {
    const listed = parseIndex(await kv.get(key));
    const others = await readLive(
      userId,
      listed.filter((id) => id !== sessionId),
    );
    await writeIndex(key, session && isLive(session) ? [...others, session] : others);
  };

  const getSession = async (sessionId: string): Promise<SessionSchema | null> => {
    const key = sessionKey(sessionId);
    return key === null ? null : parseSession(await kv.get(key), sessionId);
  };

  const writeRecord = (key: string, session: SessionSchema): Promise<void> =>
    kv.put(key, serializeSession(session), { expiration: kvExpiration(session.idle_expires) });

  return {
    getSession,

    getSessionsByUserId: async (userId) => {
      const key = indexKey(userId);
      if (key === null) return [];
      const listed = parseIndex(await kv.get(key));
      const sessions = await readLive(userId, listed);
      // It tidies up; the next listing tries again.
      if (sessions.length < listed.length) await writeIndex(key, sessions).catch(() => {});
      return sessions;
    },

    /**
     * The record goes first. After a crash in between there is a session that no one was told the id of, and that ends
     * by itself. The other way round, a listing between the two writes would see an id without a record and drop it,
     * and then a session in use would be missing from the list.
     */
    setSession: async (session) => {
      const key = requireKvKey(prefixes.session, session.id, 'session id');
      const listKey = requireKvKey(prefixes.userSessions, session.user_id, 'user id');
      await writeRecord(key, session);
      try {
        await updateIndex(listKey, session.user_id, session.id, session);
      } catch (error) {
        // Unlisted, a new one could not be revoked. The caller learns of the first failure, whatever becomes of this try.
        const listed = await kv.get(listKey).then(parseIndex, (): string[] => []);
        if (!listed.includes(session.id)) await kv.delete(key).catch(() => {});
        throw error;
      }
    },

    updateSession: async (sessionId, partialSession) => {
      const stored = await getSession(sessionId);
      if (stored === null) throw new LuciaError('AUTH_INVALID_SESSION_ID');
      const { id, user_id } = stored;
      const session = { ...stored, ...partialSession, id, user_id };
      await writeRecord(requireKvKey(prefixes.session, id, 'session id'), session);
      await updateIndex(requireKvKey(prefixes.userSessions, user_id, 'user id'), user_id, id, session);
    },

    /** The delete is sent even when nothing was read: "not found" may be an old answer. */
    deleteSession: async (sessionId) => {
      const key = sessionKey(sessionId);
      if (key === null) return;
      const stored = await getSession(sessionId);
      await kv.delete(key);
      const listKey = stored && indexKey(stored.user_id);
      if (stored && listKey) await updateIndex(listKey, stored.user_id, sessionId);
    },

    /** The list goes last, so that after a failure the same call finds what is left. */
    deleteSessionsByUserId: async (userId) => {
      const key = indexKey(userId);
      if (key === null) return;
      const listed = parseIndex(await kv.get(key));
      await deleteRecords(
        kv,
        listed.map(sessionKey).filter((recordKey) => recordKey !== null),
      );
      await kv.delete(key);
    },
  };
}
