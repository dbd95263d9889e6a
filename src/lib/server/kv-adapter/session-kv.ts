/**
 * The part of a KV namespace that the adapter uses, so that a Worker's binding fits, Miniflare's seen from Node, and
 * the `KVNamespace` of the older `@miniflare/kv`.
 */
export interface SessionKV {
  /** One key gives its text or `null`; several give a `Map`, on a KV that knows bulk reads. */
  get(key: string | string[]): Promise<unknown>;
  put(key: string, value: string, options: { expiration: number; metadata?: unknown }): Promise<void>;
  delete(key: string): Promise<void>;
  list(options: { prefix: string; cursor?: string }): Promise<SessionKVPage>;
}

/** A page of a listing. It may be empty and yet not the last one (developers.cloudflare.com/kv/api/list-keys). */
export interface SessionKVPage {
  keys: { name: string; metadata?: unknown }[];
  list_complete: boolean;
  cursor?: string;
}

/** Keys in one bulk read, at most (developers.cloudflare.com/kv/api/read-key-value-pairs). */
const KV_BULK_READ_KEYS = 100;

/** A Worker has six connections open at once, at most (developers.cloudflare.com/workers/platform/limits). */
const SIMULTANEOUS_OPERATIONS = 6;

/** Reads many records, 100 to a read. A missing one is `null` in the answer. Throws what KV throws. */
export async function readRecords(kv: SessionKV, keys: string[]): Promise<Map<string, unknown>> {
  const records = new Map<string, unknown>();
  for (const some of chunks(keys, KV_BULK_READ_KEYS)) {
    const found = (await readInBulk(kv, some)) ?? (await readOneByOne(kv, some));
    for (const [key, text] of found) records.set(key, text);
  }
  return records;
}

/**
 * Deletes many records. One that fails does not keep the others alive: the first error is thrown after the last try.
 */
export async function deleteRecords(kv: SessionKV, keys: string[]): Promise<void> {
  const failures: PromiseRejectedResult[] = [];
  for (const some of chunks(keys, SIMULTANEOUS_OPERATIONS)) {
    const results = await Promise.allSettled(some.map((key) => kv.delete(key)));
    failures.push(...results.filter((result) => result.status === 'rejected'));
  }
  if (failures[0]) throw failures[0].reason;
}

/**
 * `null` when this KV has no bulk reads, which came in April 2025: `@miniflare/kv` refuses the array with a `TypeError`
 * before it reads, older runtimes take it for one key. The reads one by one that follow hide nothing: a `TypeError` that
 * meant something else meets them too.
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
