import type { ListedRecord } from './central-store';
import { kvError } from './kv-rules';

/** Returns a stored value in the type that the caller wants. */
export function decode(value: Uint8Array, type: string): unknown {
  if (type === 'arrayBuffer') return value.slice().buffer;
  const text = new TextDecoder().decode(value);
  if (type === 'text') return text;
  if (type === 'json') return parseJson(text);
  throw new TypeError(
    'Unknown response type. Possible types are "text", "arrayBuffer", "json", and "stream".',
  );
}

export function parseJson(text: string): unknown {
  return JSON.parse(text);
}

/** Where a listing continues: after a key, and whether the previous page was an empty one. */
export type Cursor = { after: string; wasEmpty: boolean };

export function toCursor({ after, wasEmpty }: Cursor): string {
  return encodeURIComponent(JSON.stringify([after, wasEmpty]));
}

export function parseCursor(cursor: string): Cursor {
  if (cursor === '') return { after: '', wasEmpty: false };
  const parsed = parseJson(decodeURIComponent(cursor));
  if (!Array.isArray(parsed)) throw kvError('GET', 400, 'Invalid cursor');
  return { after: String(parsed[0]), wasEmpty: parsed[1] === true };
}

/** Returns the first `limit` records as a page of a listing, with a cursor to the rest or to `next`. */
export function pageOf(
  records: ListedRecord[],
  limit: number,
  next?: Cursor,
): KVNamespaceListResult<unknown> {
  const page = records.slice(0, limit);
  const keys = page.map(({ name, record }) => ({
    name,
    ...(record.expiration !== null && { expiration: record.expiration }),
    ...(record.metadata !== null && { metadata: parseJson(record.metadata) }),
  }));
  const last = page.at(-1);
  const goesOn = next ?? (last && records.length > limit ? { after: last.name, wasEmpty: false } : null);
  if (!goesOn) return { keys, list_complete: true, cacheStatus: null };
  return { keys, list_complete: false, cursor: toCursor(goesOn), cacheStatus: null };
}
