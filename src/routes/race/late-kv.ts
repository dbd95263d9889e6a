import type { SessionKV } from '$lib/server/kv-adapter';
import * as v from 'valibot';

/** As long as the stand-in goes on giving what was deleted; Cloudflare says "60 seconds or more". */
export const LATE_MILLISECONDS = 60_000;

/** A race is over by then: its records end, and so do its cookies. */
export const RACE_MILLISECONDS = 10 * 60_000;

/** What the stand-in holds, by key. Times are epoch milliseconds. */
export const recordsSchema = v.record(
  v.string(),
  v.object({ value: v.string(), until: v.number(), deletedAt: v.nullable(v.number()) }),
);
export type Records = v.InferOutput<typeof recordsSchema>;

/**
 * Stands in for Workers KV as it looks from another city: a record that was deleted is still given for a minute. The real one cannot show
 * that on demand, and a local one never does. Both panes read from here, so nothing of a race is in the app's own KV, where the rest of the
 * app would find it. It writes into `records`, which a signed cookie keeps.
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
