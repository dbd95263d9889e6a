import * as v from 'valibot';
import { sessionOwner } from '$lib/server/kv-adapter';
import { shownDevice, shownName, shownPlace } from '$lib/server/sessions/readable';
import { StoreUnavailable } from '$lib/server/stores/guarded';
import type { Device, Place } from '$lib/session-view';
import { escaped } from '$lib/visible-text';

/** A KV record as it is stored, except that invisible characters are escaped. `expiresAt` is in epoch milliseconds. */
export type StoredRecord = {
  key: string;
  kind: 'session' | 'index';
  /** `null` for a record that is not a session's. */
  sessionId: string | null;
  /** What to show about the session; `null` if the value does not describe one. */
  about: { name: string | null; device: Device; place: Place; activeUntil: number } | null;
  value: string;
  metadata: string | null;
  /** `undefined` if KV cannot list right now. Only the list has it. */
  expiresAt: number | null | undefined;
};

const RECORDS_MAX = 50;

export type OwnRecords = {
  records: StoredRecord[];
  /** After how many sessions the list was cut; `null` if it is complete. */
  cutAfter: number | null;
  /** Whether KV could not list the records. Then only the current session's record is included. */
  unlisted: boolean;
};

/**
 * Reads the KV records of one user. Of more than `RECORDS_MAX` sessions it returns the first ones and the current one. It returns no other
 * user's records: a key is included only if its session id begins with this user's id and a dot, and a user id contains no dot.
 */
export async function listOwnRecords(
  kv: KVNamespace,
  userId: string,
  currentSessionId: string,
): Promise<OwnRecords> {
  const currentKey = `session:${currentSessionId}`;
  const lists = await Promise.all([
    kv.list({ prefix: `session:${userId}.`, limit: RECORDS_MAX }),
    kv.list({ prefix: `user_sessions:${userId}`, limit: 1 }),
  ]).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return null;
    throw error;
  });
  if (!lists) return { records: await oneRecord(kv, currentKey), cutAfter: null, unlisted: true };
  const [sessions, index] = lists;
  const isCut = !sessions.list_complete;
  const isMissing = isCut && sessions.keys.every(({ name }) => name !== currentKey);
  const current = isMissing ? await kv.list({ prefix: currentKey, limit: 1 }) : null;
  const own = [
    ...[...(current?.keys ?? []), ...sessions.keys].filter(
      ({ name }) => sessionOwner(name.slice('session:'.length)) === userId,
    ),
    ...index.keys.filter(({ name }) => name === `user_sessions:${userId}`),
  ];
  if (own.length === 0) return { records: [], cutAfter: null, unlisted: false };
  const values = await kv.get(own.map(({ name }) => name));
  const records: StoredRecord[] = own.flatMap(({ name, metadata, expiration }) => {
    const value = values.get(name);
    if (typeof value !== 'string') return [];
    return recordOf(name, value, metadata, expiration === undefined ? null : expiration * 1_000);
  });
  return { records, cutAfter: isCut ? RECORDS_MAX : null, unlisted: false };
}

/** Reads the record of one session without listing. */
async function oneRecord(kv: KVNamespace, key: string): Promise<StoredRecord[]> {
  const { value, metadata } = await kv.getWithMetadata(key);
  return value === null ? [] : [recordOf(key, value, metadata, undefined)];
}

function recordOf(
  key: string,
  value: string,
  metadata: unknown,
  expiresAt: StoredRecord['expiresAt'],
): StoredRecord {
  const isSession = key.startsWith('session:');
  return {
    key: escaped(key),
    kind: isSession ? 'session' : 'index',
    sessionId: isSession ? key.slice('session:'.length) : null,
    about: isSession ? aboutSession(value) : null,
    value: escaped(value),
    metadata: metadata === undefined || metadata === null ? null : escaped(JSON.stringify(metadata)),
    expiresAt,
  };
}

const sessionShape = v.object({
  active_expires: v.number(),
  name: v.optional(v.unknown()),
  device: v.record(v.string(), v.unknown()),
  place: v.record(v.string(), v.unknown()),
});

function aboutSession(value: string): StoredRecord['about'] {
  try {
    const { active_expires, name, device, place } = v.parse(sessionShape, JSON.parse(value));
    return {
      name: shownName(name),
      device: shownDevice(device),
      place: shownPlace(place),
      activeUntil: active_expires,
    };
  } catch {
    return null;
  }
}
