import type { SessionKV } from '$lib/server/kv-adapter';
import * as v from 'valibot';

/** How long the stand-in returns a deleted record. Cloudflare says "60 seconds or more". */
export const LATE_MILLISECONDS = 60_000;

/** A race is over by then. Its records and cookies expire. */
export const RACE_MILLISECONDS = 10 * 60_000;

/** The stand-in's records, by key. Times are epoch milliseconds. */
export const recordsSchema = v.record(
  v.string(),
  v.object({ value: v.string(), until: v.number(), deletedAt: v.nullable(v.number()) }),
);
export type Records = v.InferOutput<typeof recordsSchema>;

/**
 * A stand-in for Workers KV as seen from another city: it returns a deleted record for another minute. The real KV cannot show that on
 * demand, and a local one never does it. Both panes read from the stand-in, so the app's own KV holds nothing of a race that the rest of
 * the app could find. It writes into `records`, which a signed cookie stores.
 */
export function lateKv(records: Records): SessionKV {
  const shown = (key: string): string | null => {
    const record = records[key];
    const now = Date.now();
    if (!record || record.until <= now) return null;
    const isGone = record.deletedAt !== null && record.deletedAt + LATE_MILLISECONDS <= now;
    return isGone ? null : record.value;
  };

  return {
    get: async (key) => (typeof key === 'string' ? shown(key) : new Map(key.map((one) => [one, shown(one)]))),

    async put(key, value, { expiration }) {
      const until = Math.min(expiration * 1_000, Date.now() + RACE_MILLISECONDS);
      records[key] = { value, until, deletedAt: null };
    },

    async delete(key) {
      const record = records[key];
      if (record) record.deletedAt ??= Date.now();
    },

    async list({ prefix }) {
      const names = Object.keys(records).filter((key) => key.startsWith(prefix) && shown(key) !== null);
      return { keys: names.map((name) => ({ name })), list_complete: true };
    },
  };
}
