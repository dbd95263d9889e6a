import type { SessionSchema } from 'lucia';

/**
 * Returns the session that a value from KV represents, or `null` if it is not the session with that id. Anyone with access to the namespace
 * can write to it, so a value from KV is treated like any other input. Attributes belong to the app and are returned as they are.
 *
 * @param value parsed JSON: a record's, or a key's metadata
 * @param sessionId the id in the key under which the value was found
 */
export function sessionFrom(value: unknown, sessionId: string): SessionSchema | null {
  return isSession(value) && value.id === sessionId ? value : null;
}

/** `sessionFrom` for a record's text. Returns `null` for a missing record and for text that is not JSON. */
export function parseSession(text: unknown, sessionId: string): SessionSchema | null {
  return sessionFrom(parseJson(text), sessionId);
}

/**
 * Serializes a session to a record's text.
 *
 * @throws Error if it could not be read back, for instance if a time is `NaN`, which JSON turns into `null`
 */
export function serializeSession(session: SessionSchema): string {
  if (!isSession(session)) {
    throw new Error(
      '[kv-adapter] this session could not be read back: give it string id and user_id, and finite numbers of ' +
        'milliseconds as active_expires and idle_expires',
    );
  }
  return JSON.stringify(session);
}

/** Whether a session can still be used. KV may serve a record past its expiration, so a listing has to check. */
export function isLive(session: SessionSchema): boolean {
  return session.idle_expires > Date.now();
}

/** Returns the session ids in an index record. A missing or broken record counts as empty. */
export function parseIndex(text: unknown): string[] {
  const ids = parseJson(text);
  return Array.isArray(ids) ? [...new Set(ids.filter((id) => typeof id === 'string'))] : [];
}

function isSession(value: unknown): value is SessionSchema {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    typeof value.id === 'string' &&
    'user_id' in value &&
    typeof value.user_id === 'string' &&
    'active_expires' in value &&
    Number.isFinite(value.active_expires) &&
    'idle_expires' in value &&
    Number.isFinite(value.idle_expires)
  );
}

function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
