/**
 * The part of a KV namespace that the adapter uses. A Worker's binding fits it, and so do Miniflare's binding seen from Node and the
 * `KVNamespace` of the older `@miniflare/kv`.
 */
export interface SessionKV {
  /** One key returns its text or `null`. Several keys return a `Map` if this KV supports bulk reads. */
  get(key: string | string[]): Promise<unknown>;
  put(key: string, value: string, options: { expiration: number; metadata?: unknown }): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix: string; cursor?: string }): Promise<SessionKVPage>;
}

/** A page of a listing. It may be empty without being the last one (developers.cloudflare.com/kv/api/list-keys). */
export interface SessionKVPage {
  keys: { name: string; metadata?: unknown }[];
  list_complete: boolean;
  cursor?: string;
}

/** The maximum number of keys in one bulk read (developers.cloudflare.com/kv/api/read-key-value-pairs). */
const KV_BULK_READ_KEYS = 100;

/** The maximum number of simultaneous connections of a Worker (developers.cloudflare.com/workers/platform/limits). */
const SIMULTANEOUS_OPERATIONS = 6;

/** Reads many records, 100 per read. A missing record is `null` in the result. Rethrows KV's errors. */
export async function readRecords(kv: SessionKV, keys: string[]): Promise<Map<string, unknown>> {
  const records = new Map<string, unknown>();
  for (const some of chunks(keys, KV_BULK_READ_KEYS)) {
    const found = (await readInBulk(kv, some)) ?? (await readOneByOne(kv, some));
    for (const [key, text] of found) records.set(key, text);
  }
  return records;
}

/** Deletes many records. If one delete fails, the others are still tried; then the first error is thrown. */
export async function deleteRecords(kv: SessionKV, keys: string[]): Promise<void> {
  const failures: PromiseRejectedResult[] = [];
  for (const some of chunks(keys, SIMULTANEOUS_OPERATIONS)) {
    const results = await Promise.allSettled(some.map((key) => kv.delete(key)));
    failures.push(...results.filter((result) => result.status === 'rejected'));
  }
  if (failures[0]) throw failures[0].reason;
}

/**
 * Reads many keys at once. Returns `null` if this KV has no bulk reads, which came in April 2025: `@miniflare/kv` refuses the array with a
 * `TypeError` before it reads, and older runtimes take the array for one key. A `TypeError` with another cause is not hidden: the reads one
 * by one that follow run into it too.
 */
async function readInBulk(kv: SessionKV, keys: string[]): Promise<Map<string, unknown> | null> {
  if (keys.length === 1) return null;
  try {
    const found = await kv.get(keys);
    return found instanceof Map ? found : null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

async function readOneByOne(kv: SessionKV, keys: string[]): Promise<Map<string, unknown>> {
  const records = new Map<string, unknown>();
  for (const some of chunks(keys, SIMULTANEOUS_OPERATIONS)) {
    await Promise.all(some.map(async (key) => records.set(key, await kv.get(key))));
  }
  return records;
}

function* chunks<T>(items: T[], size: number): Generator<T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
