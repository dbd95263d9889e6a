import * as v from 'valibot';
import { sessionOwner } from '$lib/server/kv-adapter';
import { shownDevice, shownName, shownPlace } from '$lib/server/sessions/readable';
import { StoreUnavailable } from '$lib/server/stores/guarded';
import type { Device, Place } from '$lib/session-view';
import { escaped } from '$lib/visible-text';

/** One KV record as it is stored, but that what nobody could see is escaped. `expiresAt` is epoch milliseconds. */
export type StoredRecord = {
  key: string;
  kind: 'session' | 'index';
  /** Of a session record. */
  sessionId: string | null;
  /** Of a session record: which session it is, fit to be shown; `null` for a value that is none. */
  about: { name: string | null; device: Device; place: Place; activeUntil: number } | null;
  value: string;
  metadata: string | null;
  /** `undefined`: only the list tells, and KV cannot list right now. */
  expiresAt: number | null | undefined;
};

const RECORDS_MAX = 50;

export type OwnRecords = {
  records: StoredRecord[];
  /** How many sessions the list was cut after; `null` when it is whole. */
  cutAfter: number | null;
  /** Whether KV could not list them: then only the current session's is here. */
  unlisted: boolean;
};

/**
 * The KV records of one user, exactly as stored; of more than `RECORDS_MAX` sessions the first and the current one. Nobody
 * else's: a key is shown only if its session id begins with this user's id and a dot, and a user id has no dot.
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

/** The record of one session, without the list. */
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
