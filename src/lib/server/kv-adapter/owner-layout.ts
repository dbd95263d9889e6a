/**
 * Layout `owner`: a session id is `<user id>.<a part without dots>`, so a user's sessions are the keys under one prefix
 * and there is no list to keep.
 *
 *   session:<user id>.<rest>  JSON of Lucia's SessionSchema; the same in the key's metadata when it fits
 *
 * Accepted race: `updateSession` writes what it read, so a delete in between is undone, and KV's listing is up to a
 * minute late. Both are KV's nature; an app for which a revoked session must stay revoked keeps a record of revocations
 * in a consistent store and asks it. Sign-ins, also at the same moment, do not touch each other: each writes its own key.
 */
import type { LuciaErrorConstructor, SessionAdapter, SessionSchema } from 'lucia';
import { kvExpiration } from './expiration.js';
import { byteLength, kvKey, requireKvKey, sessionOwner, type KvPrefixes } from './keys.js';
import { isLive, parseSession, serializeSession, sessionFrom } from './record.js';
import { deleteRecords, readRecords, type SessionKV } from './session-kv.js';

/** A key's metadata is at most this long as JSON in UTF-8 (developers.cloudflare.com/kv/platform/limits). */
const KV_MAX_METADATA_BYTES = 1024;

export function ownerLayout(
  kv: SessionKV,
  prefixes: KvPrefixes,
  LuciaError: LuciaErrorConstructor,
): SessionAdapter {
  /** `null` for an id that is not of this layout, or that no KV key can hold: nothing is stored under it. */
  const sessionKey = (sessionId: string) =>
    sessionOwner(sessionId) === null ? null : kvKey(prefixes.session, sessionId);

  /** The keys of a user, with their metadata. */
  const listKeys = async (userId: string) => {
    const keys: { name: string; sessionId: string; metadata?: unknown }[] = [];
    const prefix = userId === '' ? null : kvKey(prefixes.session, `${userId}.`);
    if (prefix === null) return keys;
    let cursor: string | undefined;
    do {
      const page = await kv.list({ prefix, cursor });
      for (const { name, metadata } of page.keys) {
        const sessionId = name.slice(prefixes.session.length + 1);
        // The prefix of user `a` also begins the keys of user `a.b`.
        if (sessionOwner(sessionId) === userId) keys.push({ name, sessionId, metadata });
      }
      cursor = page.list_complete ? undefined : page.cursor;
    } while (cursor !== undefined);
    return keys;
  };

  const getSession = async (sessionId: string): Promise<SessionSchema | null> => {
    const key = sessionKey(sessionId);
    return key === null ? null : ownedBy(sessionOwner(sessionId), parseSession(await kv.get(key), sessionId));
  };

  const writeRecord = async (session: SessionSchema): Promise<void> => {
    const text = serializeSession(session);
    const metadata = byteLength(text) <= KV_MAX_METADATA_BYTES ? { metadata: session } : {};
    const expiration = kvExpiration(session.idle_expires);
    await kv.put(requireKvKey(prefixes.session, session.id, 'session id'), text, { expiration, ...metadata });
  };

  return {
    getSession,

    getSessionsByUserId: async (userId) => {
      const keys = (await listKeys(userId)).map((key) => ({
        ...key,
        session: ownedBy(userId, sessionFrom(key.metadata, key.sessionId)),
      }));
      const unread = keys.filter((key) => key.session === null).map((key) => key.name);
      const records = await readRecords(kv, unread);
      return keys
        .map((key) => key.session ?? ownedBy(userId, parseSession(records.get(key.name), key.sessionId)))
        .filter((session) => session !== null)
        .filter(isLive);
    },

    setSession: async (session) => {
      if (session.user_id === '' || sessionOwner(session.id) !== session.user_id) {
        throw new Error(
          '[kv-adapter] in the owner layout a session id is its user_id, a dot, and a part without dots, and this one ' +
            'is not: give createSession such a sessionId, or choose the layout "index"',
        );
      }
      await writeRecord(session);
    },

    updateSession: async (sessionId, partialSession) => {
      const stored = await getSession(sessionId);
      if (stored === null) throw new LuciaError('AUTH_INVALID_SESSION_ID');
      await writeRecord({ ...stored, ...partialSession, id: stored.id, user_id: stored.user_id });
    },

    deleteSession: async (sessionId) => {
      const key = sessionKey(sessionId);
      if (key !== null) await kv.delete(key);
    },

    /** Deletes every key of the user, also those that do not read as a session. */
    deleteSessionsByUserId: async (userId) => {
      const keys = await listKeys(userId);
      await deleteRecords(
        kv,
        keys.map((key) => key.name),
      );
    },
  };
}

/** A session under another user's key is no session. */
function ownedBy(userId: string | null, session: SessionSchema | null): SessionSchema | null {
  return session?.user_id === userId ? session : null;
}
