import type { SessionSchema } from 'lucia';

/**
 * The session that a value from KV stands for, or `null` when it is not the session of that id. Anyone with access to
 * the namespace can write to it, so what KV gives back is input like any other. Attributes are the app's own: they
 * come back as they are.
 *
 * @param value parsed JSON: a record's, or a key's metadata
 * @param sessionId the id in the key under which the value was found
 */
export function sessionFrom(value: unknown, sessionId: string): SessionSchema | null {
  return isSession(value) && value.id === sessionId ? value : null;
}

/** `sessionFrom` for a record's text. Text that is not JSON is no session; neither is a missing record. */
export function parseSession(text: unknown, sessionId: string): SessionSchema | null {
  return sessionFrom(parseJson(text), sessionId);
}

/**
 * A session as a record's text.
 *
 * @throws Error when it could not be read back, for instance when a time is `NaN`, which JSON turns into `null`
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

/** Whether a session can still be used. KV may serve a record past its expiration, so a listing has to ask. */
export function isLive(session: SessionSchema): boolean {
  return session.idle_expires > Date.now();
}

/** The session ids in an index record. A missing or broken record is an empty one. */
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
