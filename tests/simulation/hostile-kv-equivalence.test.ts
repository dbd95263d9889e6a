import { env } from 'cloudflare:workers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHostileKV } from './hostile-kv';

/** The local KV keeps its records from run to run, so each run has its own prefix. */
let runs = 0;

type Answer = { value?: unknown; error?: string };
type Operation = { name: string; run: (kv: KVNamespace, prefix: string) => Promise<unknown> };

const names = ['a', 'a/b', 'Z', '%41 ', 'é', '\u{ff5e}', '\u{1f600}', 'x?y#z'];
const badKeys = ['', '.', '..', 'k'.repeat(513), 'é'.repeat(257)];
const name = fc.constantFrom(...names);
const type = fc.constantFrom<'text' | 'json' | undefined>('text', 'json', undefined);
const value = fc.constantFrom('', 'text', '{"a":[1,"é"]}', 'null', '{broken', new Uint8Array([123, 125]));
const metadata = fc.constantFrom<unknown>(
  undefined,
  null,
  0,
  'é',
  { a: { b: [null] } },
  { long: 'é'.repeat(506) },
  { long: 'é'.repeat(507) },
);
/** Seconds from now. The limit of KV's 60 seconds is avoided, because it depends on the clock. */
const fromNow = fc.constantFrom(-1000, -5, 20, 100, 5000.7);
const startSeconds = Math.floor(Date.now() / 1000);
/** The key with an `expirationTtl`. Its end depends on the second in which each KV was called. */
const TTL_KEY = 'ttl';

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(name, value, metadata).map(([key, value, metadata]) => ({
      name: `put ${key} with metadata`,
      run: (kv: KVNamespace, prefix: string) => kv.put(prefix + key, value, { metadata }),
    })),
  },
  fc.tuple(name, fromNow).map(([key, seconds]) => ({
    name: `put ${key} expiring ${seconds} s from now`,
    run: (kv: KVNamespace, prefix: string) =>
      kv.put(prefix + key, 'v', { expiration: startSeconds + seconds }),
  })),
  fromNow.map((expirationTtl) => ({
    name: `put ${TTL_KEY} for ${expirationTtl} s`,
    run: (kv: KVNamespace, prefix: string) => kv.put(prefix + TTL_KEY, 'v', { expirationTtl }),
  })),
  name.map((key) => ({
    name: `delete ${key}`,
    run: (kv: KVNamespace, prefix: string) => kv.delete(prefix + key),
  })),
  fc.tuple(name, type).map(([key, type = 'text']) => ({
    name: `get ${key} as ${type}`,
    run: (kv: KVNamespace, prefix: string) =>
      type === 'json' ? kv.get(prefix + key, 'json') : kv.get(prefix + key),
  })),
  fc.tuple(name, fc.constantFrom(10, 30, 60)).map(([key, cacheTtl]) => ({
    name: `get ${key} cached ${cacheTtl} s`,
    run: (kv: KVNamespace, prefix: string) => kv.get(prefix + key, { type: 'json', cacheTtl }),
  })),
  name.map((key) => ({
    name: `getWithMetadata ${key}`,
    run: (kv: KVNamespace, prefix: string) => kv.getWithMetadata(prefix + key),
  })),
  name.map((key) => ({
    name: `get ${key} as bytes`,
    run: async (kv: KVNamespace, prefix: string) => {
      const bytes = await kv.get(prefix + key, 'arrayBuffer');
      return bytes && Array.from(new Uint8Array(bytes));
    },
  })),
  fc.tuple(fc.array(name, { maxLength: 6 }), type).map(([keys, type = 'text']) => ({
    name: `bulk get ${keys.join(' ')} as ${type}`,
    run: (kv: KVNamespace, prefix: string) => {
      const prefixed = keys.map((key) => prefix + key);
      return type === 'json' ? kv.get(prefixed, 'json') : kv.get(prefixed);
    },
  })),
  fc.array(name, { minLength: 1, maxLength: 4 }).map((keys) => ({
    name: `bulk getWithMetadata ${keys.join(' ')}`,
    run: (kv: KVNamespace, prefix: string) => kv.getWithMetadata(keys.map((key) => prefix + key)),
  })),
  fc.constant({
    name: 'bulk get of 101 keys',
    run: (kv: KVNamespace, prefix: string) => kv.get(Array.from({ length: 101 }, (_, i) => `${prefix}${i}`)),
  }),
  fc
    .tuple(fc.constantFrom('', 'a', 'é', 'nothing'), fc.constantFrom(undefined, 0, 1, 2, 3, 1000, 1001))
    .map(([start, limit]) => ({
      name: `list ${start}… by ${limit}`,
      run: (kv: KVNamespace, prefix: string) => everyPage(kv, prefix + start, limit),
    })),
  fc
    .tuple(fc.constantFrom(...badKeys), fc.constantFrom('get', 'bulk', 'with', 'put', 'delete', 'list'))
    .map(([key, method]) => ({
      name: `${method} of a bad key ${key.slice(0, 3)}`,
      run: async (kv: KVNamespace) => {
        if (method === 'get') return kv.get(key);
        if (method === 'bulk') return kv.get([key]);
        if (method === 'with') return kv.getWithMetadata(key);
        if (method === 'put') return kv.put(key, 'v');
        if (method === 'delete') return kv.delete(key);
        // Short prefixes would list the records of other runs.
        return key.length > 2 ? kv.list({ prefix: key }) : null;
      },
    })),
);

const listAll: Operation = { name: 'list all', run: (kv, prefix) => everyPage(kv, prefix, 3) };

async function everyPage(kv: KVNamespace, prefix: string, limit: number | undefined): Promise<unknown[]> {
  const pages: unknown[] = [];
  let cursor: string | undefined;
  do {
    const page = await kv.list({ prefix, limit, cursor });
    pages.push(
      page.keys.map((key) => (key.name.endsWith(TTL_KEY) ? { ...key, expiration: 'some second' } : key)),
      page.list_complete,
    );
    cursor = page.list_complete ? undefined : page.cursor;
  } while (cursor !== undefined);
  return pages;
}

async function answerOf(run: () => Promise<unknown>): Promise<Answer> {
  try {
    const value = await run();
    return { value: value instanceof Map ? { map: [...value] } : value };
  } catch (error) {
    return { error: String(error) };
  }
}

test('a calm simulation answers as the local KV does, including refusals', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { minLength: 1, maxLength: 25, size: 'max' }),
      async (operations) => {
        const prefix = `equivalence/${(runs += 1)}/`;
        const simulated = createHostileKV({ seed: 0, hostility: {}, now: Date.now }).place('here');
        for (const { name, run } of [...operations, listAll]) {
          const [real, ours] = await Promise.all([
            answerOf(() => run(env.SESSIONS, prefix)),
            answerOf(() => run(simulated, prefix)),
          ]);
          expect(ours, name).toEqual(real);
        }
      },
    ),
    { numRuns: 100 },
  );
});
