import { LIST_MAX_KEYS } from './kv-rules';

export type KVOperation = 'get' | 'put' | 'delete' | 'list';

/** How bad the KV is. Rates are chances from 0 to 1; times are upper bounds. */
export type Hostility = {
  /** A location returns the last known value of a key, including "not found", for up to this long. The time depends on key and location. */
  cacheMilliseconds: number;
  /** The chance that a location's own write does not replace what that location has cached. */
  ownWriteMissRate: number;
  /** A listing shows the central store as it was up to this long ago. The time varies by call. */
  listLagMilliseconds: number;
  /** A write arrives at the central store up to this much later, so that writes of two locations may change order. */
  reorderMilliseconds: number;
  /** A second write or delete of a key within this time is refused with 429; 0 for no limit. */
  writeIntervalMilliseconds: number;
  /** The chance that an operation fails; half of the failures come after it took effect. */
  failureRates: Record<KVOperation, number>;
  /** The chance that a list returns an empty page before a page with keys. */
  emptyPageRate: number;
  /** The largest number of keys on a list page, whatever limit was requested. */
  pageKeys: number;
};

/** Strongly consistent, never failing, without write limit, like the local KV. */
export const CALM: Hostility = {
  cacheMilliseconds: 0,
  ownWriteMissRate: 0,
  listLagMilliseconds: 0,
  reorderMilliseconds: 0,
  writeIntervalMilliseconds: 0,
  failureRates: { get: 0, put: 0, delete: 0, list: 0 },
  emptyPageRate: 0,
  pageKeys: LIST_MAX_KEYS,
};

/** Cloudflare's rules and worse: a cache that outlives the documented minute, missed own writes, short pages. */
export const HOSTILE: Hostility = {
  cacheMilliseconds: 90_000,
  ownWriteMissRate: 0.25,
  listLagMilliseconds: 90_000,
  reorderMilliseconds: 2_000,
  writeIntervalMilliseconds: 1_000,
  failureRates: { get: 0.02, put: 0.05, delete: 0.05, list: 0.05 },
  emptyPageRate: 0.2,
  pageKeys: 3,
};
