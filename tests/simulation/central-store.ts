/** A record as KV stores it. */
export type StoredRecord = {
  value: Uint8Array;
  /** JSON, or `null` for none. */
  metadata: string | null;
  /** Epoch seconds, or `null` for never. */
  expiration: number | null;
};

export type ListedRecord = { name: string; record: StoredRecord };

/** A write; `record` is `null` for a delete. */
type Version = { record: StoredRecord | null; place: string; landsAt: number };

export type CentralStore = ReturnType<typeof createCentralStore>;

/**
 * KV's central store: every write with the moment it arrives. Writes of two locations to a key may arrive in another order than they were
 * made, and the last to arrive wins. One location's writes to a key keep their order.
 */
export function createCentralStore() {
  const versions = new Map<string, Version[]>();

  function at(key: string, time: number): StoredRecord | null {
    const landed = versions.get(key)?.findLast((version) => version.landsAt <= time);
    return landed?.record ?? null;
  }

  return {
    /** Accepts a write that arrives at `landsAt` at the earliest. */
    write(key: string, record: StoredRecord | null, place: string, landsAt: number): void {
      const history = versions.get(key) ?? [];
      versions.set(key, history);
      const own = history.findLast((version) => version.place === place);
      const lands = Math.max(landsAt, own?.landsAt ?? landsAt);
      const after = history.findLastIndex((version) => version.landsAt <= lands);
      history.splice(after + 1, 0, { record, place, landsAt: lands });
    },

    /** Returns what had arrived at `time`, expired or not. */
    at,

    /** Returns the keys under a prefix that held a record at `time`, in KV's order (UTF-8 bytes). */
    list(prefix: string, time: number): ListedRecord[] {
      const listed: ListedRecord[] = [];
      for (const name of versions.keys()) {
        const record = name.startsWith(prefix) ? at(name, time) : null;
        if (record) listed.push({ name, record });
      }
      return listed.sort((a, b) => compareUtf8(a.name, b.name));
    },
  };
}

/** Returns whether a record has not expired at `now` (epoch milliseconds). */
export function isAlive(record: StoredRecord | null, now: number): record is StoredRecord {
  return record !== null && (record.expiration === null || record.expiration * 1000 > now);
}

/** Compares as UTF-8 bytes. `<` compares UTF-16 units, which puts surrogate pairs before the end of the BMP. */
export function compareUtf8(a: string, b: string): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i += 1) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return Number(isSurrogate(left)) - Number(isSurrogate(right)) || left - right;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}
