/**
 * Layout `index`: one record per session, and one per user that lists the user's session ids.
 *
 *   session:<session id>      JSON of Lucia's SessionSchema
 *   user_sessions:<user id>   JSON array of session ids
 *
 * Accepted race: the list is read, changed and written, and KV has no compare-and-set. KV also serves old values for a minute or more and
 * accepts one write per second and key. If a user signs in twice at the same moment, one session may be missing from the list, and a
 * sign-in may fail with KV's 429. A session that is not in the list works and expires as usual, but neither a listing nor
 * `deleteSessionsByUserId` finds it. People seldom sign in twice within a minute. If that must be right, use the owner layout.
 * `updateSession` has a similar race: it writes what it read, so it undoes a delete in between.
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

  /** Reads these sessions of a user and keeps the live ones. */
  const readLive = async (userId: string, sessionIds: string[]): Promise<SessionSchema[]> => {
    const keys = sessionIds.map(sessionKey).filter((key) => key !== null);
    const records = await readRecords(kv, keys);
    return sessionIds
      .map((id) => parseSession(records.get(`${prefixes.session}:${id}`), id))
      .filter((session) => session !== null)
      .filter((session) => session.user_id === userId && isLive(session));
  };

  /** Writes the list. It lives as long as its last session. */
  const writeIndex = async (key: string, sessions: SessionSchema[]): Promise<void> => {
    if (sessions.length === 0) return kv.delete(key);
    const lastExpires = Math.max(...sessions.map((session) => session.idle_expires));
    const ids = sessions.map((session) => session.id);
    await kv.put(key, JSON.stringify(ids), { expiration: kvExpiration(lastExpires) });
  };

  /** Adds a session to the end of its user's list or removes it. Ended sessions are removed along with it. */
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
      // This write only tidies up. If it fails, the next listing tries again.
      if (sessions.length < listed.length) await writeIndex(key, sessions).catch(() => {});
      return sessions;
    },

    /**
     * The record is written first. After a crash in between there is a session whose id nobody was told, and it expires by itself. In the
     * other order, a listing between the two writes would see an id without a record and drop it, and a session in use would be missing
     * from the list.
     */
    setSession: async (session) => {
      const key = requireKvKey(prefixes.session, session.id, 'session id');
      const listKey = requireKvKey(prefixes.userSessions, session.user_id, 'user id');
      await writeRecord(key, session);
      try {
        await updateIndex(listKey, session.user_id, session.id, session);
      } catch (error) {
        // A new session that is not listed could not be revoked, so its record is deleted. Whatever becomes of this cleanup, the caller
        // gets the first error.
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

    /** Deletes the record even when nothing was read, because "not found" may be an old answer. */
    deleteSession: async (sessionId) => {
      const key = sessionKey(sessionId);
      if (key === null) return;
      const stored = await getSession(sessionId);
      await kv.delete(key);
      const listKey = stored && indexKey(stored.user_id);
      if (stored && listKey) await updateIndex(listKey, stored.user_id, sessionId);
    },

    /** The list is deleted last, so that after a failure the same call finds what is left. */
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
