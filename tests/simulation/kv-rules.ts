/**
 * What Workers KV refuses, with its exact messages (observed from workerd and Miniflare; the tests compare). Limits:
 * developers.cloudflare.com/kv/platform/limits.
 */
export const KEY_MAX_BYTES = 512;
export const METADATA_MAX_BYTES = 1024;
export const EXPIRATION_MIN_SECONDS = 60;
export const CACHE_TTL_MIN_SECONDS = 30;
export const LIST_MAX_KEYS = 1000;
export const BULK_MAX_KEYS = 100;
const EXPIRATION_MAX = 2 ** 31 - 1;

export type Verb = 'GET' | 'GET_BULK' | 'PUT' | 'DELETE';

/** An error as KV's binding throws it. */
export function kvError(verb: Verb, status: number, reason: string): Error {
  return new Error(`KV ${verb} failed: ${status} ${reason}`);
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function checkKeyBytes(verb: Verb, key: string): void {
  const bytes = bytesOf(key);
  if (bytes > KEY_MAX_BYTES) {
    throw kvError(
      verb,
      414,
      `UTF-8 encoded length of ${bytes} exceeds key length limit of ${KEY_MAX_BYTES}.`,
    );
  }
}

/** For methods with a single key, the runtime refuses bad names. For a bulk read, the store does. */
export function checkKey(verb: Verb, key: string): void {
  if (verb === 'GET_BULK') {
    if (key === '') throw kvError(verb, 400, 'Key names must not be empty');
    if (key === '.' || key === '..') {
      throw kvError(verb, 400, `Illegal key name "${key}". Please use a different name.`);
    }
  }
  if (key === '') throw new TypeError('Key name cannot be empty.');
  if (key === '.' || key === '..') throw new TypeError(`"${key}" is not allowed as a key name.`);
  checkKeyBytes(verb, key);
}

export function checkBulkSize(keys: readonly string[]): void {
  if (keys.length > BULK_MAX_KEYS) {
    throw kvError('GET_BULK', 400, `You can request a maximum of ${BULK_MAX_KEYS} keys`);
  }
  if (keys.length < 1) throw kvError('GET_BULK', 400, 'You must request a minimum of 1 key');
}

export function checkCacheTtl(verb: Verb, seconds: number | undefined): void {
  if (seconds !== undefined && seconds < CACHE_TTL_MIN_SECONDS) {
    throw kvError(
      verb,
      400,
      `Invalid cache_ttl of ${seconds}. Cache TTL must be at least ${CACHE_TTL_MIN_SECONDS}.`,
    );
  }
}

/** Returns the requested page size. KV ignores anything but a positive whole number. */
export function listLimit(limit: number | undefined): number {
  const whole = Math.trunc(limit ?? LIST_MAX_KEYS);
  if (!(whole > 0)) return LIST_MAX_KEYS;
  if (whole > LIST_MAX_KEYS) {
    throw kvError(
      'GET',
      400,
      `Invalid key_count_limit of ${whole}. Please specify an integer less than ${LIST_MAX_KEYS}.`,
    );
  }
  return whole;
}

export function checkPrefix(prefix: string): void {
  checkKeyBytes('GET', prefix);
}

/** Returns the second at which a record expires, or `null` for never. `expirationTtl` takes precedence over `expiration`. */
export function expirationOf(options: KVNamespacePutOptions, nowSeconds: number): number | null {
  if (options.expirationTtl !== undefined) {
    const ttl = wholeNumber(options.expirationTtl);
    if (ttl <= 0) {
      throw kvError('PUT', 400, `Invalid expiration_ttl of ${ttl}. Please specify integer greater than 0.`);
    }
    if (ttl < EXPIRATION_MIN_SECONDS) {
      throw kvError(
        'PUT',
        400,
        `Invalid expiration_ttl of ${ttl}. Expiration TTL must be at least ${EXPIRATION_MIN_SECONDS}.`,
      );
    }
    return nowSeconds + ttl;
  }
  if (options.expiration === undefined) return null;
  const expiration = wholeNumber(options.expiration);
  if (expiration <= nowSeconds) {
    throw kvError(
      'PUT',
      400,
      `Invalid expiration of ${expiration}. Please specify integer greater than the current number of seconds since the UNIX epoch.`,
    );
  }
  if (expiration < nowSeconds + EXPIRATION_MIN_SECONDS) {
    throw kvError(
      'PUT',
      400,
      `Invalid expiration of ${expiration}. Expiration times must be at least ${EXPIRATION_MIN_SECONDS} seconds in the future.`,
    );
  }
  return expiration;
}

/** The runtime reads these as 32-bit integers. */
function wholeNumber(value: number): number {
  const whole = Number.isNaN(value) ? 0 : Math.trunc(value);
  if (whole > EXPIRATION_MAX || whole < -EXPIRATION_MAX - 1) {
    throw new TypeError(
      `Value out of range. Must be between ${-EXPIRATION_MAX - 1} and ${EXPIRATION_MAX} (inclusive).`,
    );
  }
  return whole;
}

/** Returns metadata as it is stored, as JSON, or `null` for none. */
export function metadataOf(options: KVNamespacePutOptions): string | null {
  if (options.metadata === undefined || options.metadata === null) return null;
  const json = JSON.stringify(options.metadata);
  const bytes = bytesOf(json);
  if (bytes > METADATA_MAX_BYTES) {
    throw kvError('PUT', 413, `Metadata length of ${bytes} exceeds limit of ${METADATA_MAX_BYTES}.`);
  }
  return json;
}

/** Returns a value as bytes. Streams are not simulated, because no caller here uses one. */
export function valueBytes(value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength).slice();
  }
  if (typeof value === 'object' && value !== null) {
    throw new TypeError(
      'KV put() accepts only strings, ArrayBuffers, ArrayBufferViews, and ReadableStreams as values.',
    );
  }
  return new TextEncoder().encode(String(value));
}
