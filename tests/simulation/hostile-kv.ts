import { decode, pageOf, parseCursor, parseJson } from './kv-answers';
import { compareUtf8, createCentralStore, isAlive, type StoredRecord } from './central-store';
import {
  checkBulkSize,
  checkCacheTtl,
  checkKey,
  checkPrefix,
  expirationOf,
  kvError,
  listLimit,
  metadataOf,
  valueBytes,
  type Verb,
} from './kv-rules';
import { CALM, type Hostility, type KVOperation } from './hostility';
import { seededDraws } from './seeded-draws';
import { takeStep, type StepHooks } from './steps';

export type HostileKVOptions = StepHooks & {
  seed: number;
  /** The differences from `CALM`. */
  hostility: Partial<Hostility>;
  /** Epoch milliseconds. */
  now: () => number;
};

/** `refused`: by KV's own rules. `failed-…`: by an injected failure, before or after the operation took effect. */
export type Outcome = 'done' | 'refused' | 'failed-before' | 'failed-after';

export type LoggedOperation = {
  at: number;
  place: string;
  op: KVOperation;
  key: string;
  outcome: Outcome;
  /** Whether a read returned something else than a strongly consistent KV would. */
  stale: boolean;
};

/** `keysRead` counts each key of a bulk read. The others count calls, including failed ones. */
export type KVCounters = Record<KVOperation, number> & { keysRead: number };

export type TrueRecord = {
  key: string;
  value: string;
  metadata: unknown;
  /** Epoch seconds, or `null`: never expires. */
  expiration: number | null;
};

type Fault = { op: KVOperation; when: 'before' | 'after'; place: string | undefined };
type Cached = { record: StoredRecord | null; until: number };
type ReadOptions = { type?: string; cacheTtl?: number } | string;

export type HostileKV = ReturnType<typeof createHostileKV>;

/**
 * A Workers KV with several locations that behaves as Cloudflare's may, and worse. The same seed and sequence of operations give the same
 * behaviour. Keys enter the random draws by the order of their first use, so runs that differ only in random ids behave alike.
 */
export function createHostileKV({ seed, hostility, now, ...defaultHooks }: HostileKVOptions) {
  const rules: Hostility = { ...CALM, ...hostility };
  const draw = seededDraws(seed);
  const central = createCentralStore();
  const caches = new Map<string, Map<string, Cached>>();
  const aliases = new Map<string, number>();
  const lastWriteAt = new Map<string, number>();
  const calls = new Map<string, number>();
  const scripted: Fault[] = [];
  const log: LoggedOperation[] = [];
  const counters: KVCounters = { get: 0, put: 0, delete: 0, list: 0, keysRead: 0 };

  function alias(key: string): number {
    const known = aliases.get(key) ?? aliases.size;
    aliases.set(key, known);
    return known;
  }

  /** Returns how many calls of this kind came before, here and for this key. */
  function countCall(...about: (string | number)[]): number {
    const name = about.join('|');
    const count = calls.get(name) ?? 0;
    calls.set(name, count + 1);
    return count;
  }

  function takeFault(op: KVOperation, place: string, key: string): Fault['when'] | null {
    const index = scripted.findIndex((fault) => fault.op === op && (fault.place ?? place) === place);
    if (index >= 0) return scripted.splice(index, 1)[0]?.when ?? null;
    const rate = rules.failureRates[op];
    if (rate === 0) return null;
    const about = [op, place, alias(key)];
    const chance = draw('fault', ...about, countCall('fault', ...about));
    if (chance >= rate) return null;
    return chance < rate / 2 ? 'before' : 'after';
  }

  /** Runs one operation of one location: it is counted, runs between its hooks, fails if it must, and is logged. */
  function operate<T>(
    { place, hooks }: Caller,
    op: KVOperation,
    verb: Verb,
    key: string,
    effect: (entry: LoggedOperation) => T,
  ): Promise<T> {
    counters[op] += 1;
    return takeStep(hooks, { store: 'KV', op, key, place }, () => {
      const entry: LoggedOperation = { at: now(), place, op, key, outcome: 'refused', stale: false };
      log.push(entry);
      const fault = takeFault(op, place, key);
      if (fault === 'before') {
        entry.outcome = 'failed-before';
        throw kvError(verb, 500, 'Internal Server Error');
      }
      const answer = effect(entry);
      if (fault === 'after') {
        entry.outcome = 'failed-after';
        throw kvError(verb, 500, 'Internal Server Error');
      }
      entry.outcome = 'done';
      return answer;
    });
  }

  function cacheOf(place: string): Map<string, Cached> {
    const cache = caches.get(place) ?? new Map<string, Cached>();
    caches.set(place, cache);
    return cache;
  }

  /** Never shorter than half the bound, so that a hostile cache always has an effect. */
  function cachedUntil(place: string, key: string, cacheTtlSeconds: number): number {
    const drawn = rules.cacheMilliseconds * (0.5 + draw('cache', place, alias(key)) / 2);
    return now() + Math.max(drawn, cacheTtlSeconds * 1000);
  }

  function read(place: string, key: string, cacheTtl: number | undefined, entry: LoggedOperation) {
    const latest = central.at(key, Infinity);
    const record = cachedRead(place, key, cacheTtl ?? 0);
    if (isAlive(record, now()) ? record !== latest : isAlive(latest, now())) entry.stale = true;
    return isAlive(record, now()) ? record : null;
  }

  function cachedRead(place: string, key: string, cacheTtlSeconds: number): StoredRecord | null {
    const landed = central.at(key, now());
    if (rules.cacheMilliseconds === 0) return landed;
    const cache = cacheOf(place);
    const cached = cache.get(key);
    if (cached && now() < cached.until) return cached.record;
    cache.set(key, { record: landed, until: cachedUntil(place, key, cacheTtlSeconds) });
    return landed;
  }

  function write(place: string, verb: Verb, key: string, record: StoredRecord | null): void {
    const last = lastWriteAt.get(key);
    if (last !== undefined && now() < last + rules.writeIntervalMilliseconds) {
      throw kvError(verb, 429, 'Too Many Requests');
    }
    lastWriteAt.set(key, now());
    const about = [place, alias(key), countCall('write', place, alias(key))];
    central.write(
      key,
      record,
      place,
      now() + Math.floor(draw('lands', ...about) * rules.reorderMilliseconds),
    );
    if (rules.cacheMilliseconds > 0 && draw('own write', ...about) >= rules.ownWriteMissRate) {
      cacheOf(place).set(key, { record, until: cachedUntil(place, key, 0) });
    }
  }

  function listPage(place: string, options: KVNamespaceListOptions, entry: LoggedOperation) {
    const prefix = options.prefix ?? '';
    const limit = Math.min(listLimit(options.limit), rules.pageKeys);
    checkPrefix(prefix);
    const { after, wasEmpty } = parseCursor(options.cursor ?? '');
    const count = countCall('list', place);
    if (!wasEmpty && draw('empty page', place, count) < rules.emptyPageRate) {
      return pageOf([], 0, { after, wasEmpty: true });
    }
    const seenAt = now() - Math.floor(draw('list lag', place, count) * rules.listLagMilliseconds);
    const rest = (time: number) =>
      central
        .list(prefix, time)
        .filter(({ name, record }) => compareUtf8(name, after) > 0 && isAlive(record, now()));
    const shown = rest(seenAt);
    const truth = rules.listLagMilliseconds + rules.reorderMilliseconds > 0 ? rest(Infinity) : shown;
    entry.stale = shown.length !== truth.length || shown.some(({ record }, i) => record !== truth[i]?.record);
    return pageOf(shown, limit);
  }

  function createPlace(place: string, hooks: StepHooks): KVNamespace {
    const caller: Caller = { place, hooks };

    /** The common part of `get` and `getWithMetadata`. */
    function lookUp<T>(
      key: string | string[],
      options: ReadOptions | undefined,
      answer: (record: StoredRecord | null, type: string) => T,
    ): Promise<T | Map<string, T>> {
      const { type = 'text', cacheTtl } = typeof options === 'string' ? { type: options } : (options ?? {});
      if (!Array.isArray(key)) {
        counters.keysRead += 1;
        return operate(caller, 'get', 'GET', key, (entry) => {
          checkKey('GET', key);
          checkCacheTtl('GET', cacheTtl);
          return answer(read(place, key, cacheTtl, entry), type);
        });
      }
      counters.keysRead += key.length;
      return operate(caller, 'get', 'GET_BULK', key.join(' '), (entry) => {
        checkBulkSize(key);
        for (const name of key) checkKey('GET_BULK', name);
        checkCacheTtl('GET_BULK', cacheTtl);
        if (type !== 'text' && type !== 'json') {
          throw kvError('GET_BULK', 400, `"${type}" is not a valid type. Use "json" or "text"`);
        }
        try {
          return new Map(key.map((name) => [name, answer(read(place, name, cacheTtl, entry), type)]));
        } catch {
          throw kvError(
            'GET_BULK',
            400,
            `At least one of the requested keys corresponds to a non-${type} value`,
          );
        }
      });
    }

    const namespace = {
      get: async (key: string | string[], options?: ReadOptions) =>
        lookUp(key, options, (record, type) => record && decode(record.value, type)),

      getWithMetadata: async (key: string | string[], options?: ReadOptions) =>
        lookUp(key, options, (record, type) => {
          const value = record && decode(record.value, type);
          const metadata = record?.metadata ? parseJson(record.metadata) : null;
          if (!Array.isArray(key)) return { value, metadata, cacheStatus: null };
          return record && { value, metadata };
        }),

      put: async (key: string, value: unknown, options: KVNamespacePutOptions = {}) =>
        operate(caller, 'put', 'PUT', key, () => {
          const bytes = valueBytes(value);
          checkKey('PUT', key);
          const expiration = expirationOf(options, Math.floor(now() / 1000));
          write(place, 'PUT', key, { value: bytes, metadata: metadataOf(options), expiration });
        }),

      delete: async (key: string) =>
        operate(caller, 'delete', 'DELETE', key, () => {
          checkKey('DELETE', key);
          write(place, 'DELETE', key, null);
        }),

      list: async (options: KVNamespaceListOptions = {}) =>
        operate(caller, 'list', 'GET', options.prefix ?? '', (entry) => listPage(place, options, entry)),
    };
    // KVNamespace declares a dozen overloads for what these methods decide at run time from `type` and the key.
    return namespace as KVNamespace;
  }

  return {
    seed,

    /** Returns the KV as one location sees it. Each call may have its own hooks. Locations of the same name share a cache. */
    place: (name: string, hooks: StepHooks = defaultHooks): KVNamespace => createPlace(name, hooks),

    /** Makes the next operation of that kind fail, at any location or at one. Calls queue up. */
    failNext(op: KVOperation, when: Fault['when'], place?: string): void {
      scripted.push({ op, when, place });
    },

    /** Returns every unexpired record once all writes have arrived, whatever any location still shows. */
    truth(): TrueRecord[] {
      return central
        .list('', Infinity)
        .filter(({ record }) => isAlive(record, now()))
        .map(({ name, record }) => ({
          key: name,
          value: new TextDecoder().decode(record.value),
          metadata: record.metadata === null ? null : parseJson(record.metadata),
          expiration: record.expiration,
        }));
    },

    /** How long after the last write every location and every listing shows the truth, unless a `cacheTtl` is longer. */
    settlesAfterMilliseconds:
      rules.reorderMilliseconds + Math.max(rules.cacheMilliseconds, rules.listLagMilliseconds),

    counters,
    log,

    resetCounters(): void {
      Object.assign(counters, { get: 0, put: 0, delete: 0, list: 0, keysRead: 0 });
      log.length = 0;
    },
  };
}

type Caller = { place: string; hooks: StepHooks };
