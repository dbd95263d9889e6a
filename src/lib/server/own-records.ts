import { sessionOwner } from './kv-adapter';

/** One KV record as it is stored. `expiresAt` is epoch milliseconds. */
export type StoredRecord = {
  key: string;
  kind: 'session' | 'index';
  /** Of a session record. */
  sessionId: string | null;
  value: string;
  metadata: string | null;
  expiresAt: number | null;
};

const RECORDS_MAX = 50;

/**
 * The KV records of one user, exactly as stored; at most `RECORDS_MAX`. Nobody else's: a key is shown only if its
 * session id begins with this user's id and a dot, and a user id has no dot.
 */
export async function listOwnRecords(kv: KVNamespace, userId: string): Promise<StoredRecord[]> {
  const [sessions, index] = await Promise.all([
    kv.list({ prefix: `session:${userId}.`, limit: RECORDS_MAX }),
    kv.list({ prefix: `user_sessions:${userId}`, limit: 1 }),
  ]);
  const own = [
    ...sessions.keys.filter(({ name }) => sessionOwner(name.slice('session:'.length)) === userId),
    ...index.keys.filter(({ name }) => name === `user_sessions:${userId}`),
  ];
  if (own.length === 0) return [];
  const values = await kv.get(own.map(({ name }) => name));
  return own.flatMap(({ name, metadata, expiration }) => {
    const value = values.get(name);
    if (typeof value !== 'string') return [];
    const isSession = name.startsWith('session:');
    return {
      key: name,
      kind: isSession ? 'session' : 'index',
      sessionId: isSession ? name.slice('session:'.length) : null,
      value,
      metadata: metadata === undefined ? null : JSON.stringify(metadata),
      expiresAt: expiration === undefined ? null : expiration * 1_000,
    };
  });
}
