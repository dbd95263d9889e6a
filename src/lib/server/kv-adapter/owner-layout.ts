/**
 * Layout `owner`: a session id is `<user id>.<a part without dots>`. A user's sessions are the keys under one prefix, and there is no list
 * to maintain.
 *
 *   session:<user id>.<rest>  JSON of Lucia's SessionSchema; the same in the key's metadata if it fits
 *
 * Accepted race: `updateSession` writes what it read, so it undoes a delete in between, and KV's listing is up to a minute late. KV cannot
 * prevent either. If a revoked session must stay revoked, record revocations in a consistent store and check it. Sign-ins never interfere,
 * even at the same moment: each writes its own key.
 */
import type { LuciaErrorConstructor, SessionAdapter, SessionSchema } from 'lucia';
import { kvExpiration } from './expiration.js';
import { byteLength, kvKey, requireKvKey, sessionOwner, type KvPrefixes } from './keys.js';
import { isLive, parseSession, serializeSession, sessionFrom } from './record.js';
import { deleteRecords, readRecords, type SessionKV } from './session-kv.js';

/** The maximum length of a key's metadata as JSON in UTF-8 (developers.cloudflare.com/kv/platform/limits). */
const KV_MAX_METADATA_BYTES = 1024;

export function ownerLayout(
  kv: SessionKV,
  prefixes: KvPrefixes,
  LuciaError: LuciaErrorConstructor,
): SessionAdapter {
  /** `null` for an id that does not fit this layout or a KV key. Nothing is stored under such an id. */
  const sessionKey = (sessionId: string) =>
    sessionOwner(sessionId) === null ? null : kvKey(prefixes.session, sessionId);

  /** Lists the keys of a user, with their metadata. */
  const listKeys = async (userId: string) => {
    const keys: { name: string; sessionId: string; metadata?: unknown }[] = [];
    const prefix = userId === '' ? null : kvKey(prefixes.session, `${userId}.`);
    if (prefix === null) return keys;
    let cursor: string | undefined;
    do {
      const page = await kv.list({ prefix, cursor });
      for (const { name, metadata } of page.keys) {
        const sessionId = name.slice(prefixes.session.length + 1);
        // The prefix of user `a` also matches the keys of user `a.b`.
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

    /** Deletes every key of the user, even those that cannot be read as a session. */
    deleteSessionsByUserId: async (userId) => {
      const keys = await listKeys(userId);
      await deleteRecords(
        kv,
        keys.map((key) => key.name),
      );
    },
  };
}

/** Rejects a session that is stored under another user's key. */
function ownedBy(userId: string | null, session: SessionSchema | null): SessionSchema | null {
  return session?.user_id === userId ? session : null;
}
