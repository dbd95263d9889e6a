/** What the keys begin with, before a colon. Neither prefix may be able to produce the other's keys. */
export type KvPrefixes = { session: string; userSessions: string };

/** The maximum length of a KV key in UTF-8 (developers.cloudflare.com/kv/platform/limits). */
export const KV_MAX_KEY_BYTES = 512;

/**
 * Returns the KV key `<prefix>:<id>`, or `null` if KV would refuse it: an empty id, a key over 512 bytes, or a string without a UTF-8 form
 * (a lone surrogate). So a read for any cookie value returns "none" without asking KV.
 */
export function kvKey(prefix: string, id: string): string | null {
  const key = `${prefix}:${id}`;
  return id !== '' && key.isWellFormed() && byteLength(key) <= KV_MAX_KEY_BYTES ? key : null;
}

/**
 * `kvKey` for a write, which must not be dropped silently.
 *
 * @param what names the id in the message. The id itself is left out, because in stock Lucia it is a credential
 * @throws Error if KV would refuse the key
 */
export function requireKvKey(prefix: string, id: string, what: 'session id' | 'user id'): string {
  const key = kvKey(prefix, id);
  if (key === null) {
    throw new Error(
      `[kv-adapter] this ${what} cannot be part of a KV key: it must be well-formed, not empty, and with the prefix ` +
        `"${prefix}:" at most ${KV_MAX_KEY_BYTES} bytes of UTF-8`,
    );
  }
  return key;
}

/**
 * Returns the user id in a session id of the owner layout, `<user id>.<the rest>`: everything before the last dot. So a user id may contain
 * dots and the rest may not. `null` if the id does not have that form.
 */
export function sessionOwner(sessionId: string): string | null {
  const dot = sessionId.lastIndexOf('.');
  return dot > 0 && dot < sessionId.length - 1 ? sessionId.slice(0, dot) : null;
}

/** Whether a session key could equal a user key, so that one record would overwrite the other. */
export function prefixesCollide({ session, userSessions }: KvPrefixes): boolean {
  return `${session}:`.startsWith(`${userSessions}:`) || `${userSessions}:`.startsWith(`${session}:`);
}

/** The length of a text in UTF-8, which is the unit of KV's limits. */
export function byteLength(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}
