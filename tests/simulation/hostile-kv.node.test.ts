import { describe, expect, test } from 'vitest';
import { createHostileKV } from './hostile-kv';
import { HOSTILE, type Hostility } from './hostility';
import { Crash, crashAfter, describeStep, type Step } from './steps';

const START = Date.UTC(2026, 0, 1);

/** A KV with its own clock. */
function open(hostility: Partial<Hostility> = {}, seed = 1) {
  const clock = { now: START };
  const store = createHostileKV({ seed, hostility, now: () => clock.now });
  return { clock, store, here: store.place('here'), there: store.place('there') };
}

describe('with no hostility', () => {
  test('without hostility, each write is visible everywhere at once, however often', async () => {
    const { here, there, store } = open();
    for (const value of ['1', '2', '3']) {
      await here.put('key', value, { metadata: { value } });
      expect(await there.get('key')).toBe(value);
      expect((await there.list()).keys).toEqual([{ name: 'key', metadata: { value } }]);
    }
    await there.delete('key');
    expect(await here.get('key')).toBeNull();
    expect(store.log.every(({ outcome, stale }) => outcome === 'done' && !stale)).toBe(true);
  });

  test('without hostility, an expired record is gone from reads, lists and the truth', async () => {
    const { clock, here, store } = open();
    await here.put('key', 'value', { expiration: START / 1000 + 60 });
    expect(store.truth()).toEqual([
      { key: 'key', value: 'value', metadata: null, expiration: START / 1000 + 60 },
    ]);
    clock.now = START + 59_999;
    expect(await here.get('key')).toBe('value');
    clock.now = START + 60_000;
    expect(await here.get('key')).toBeNull();
    expect((await here.list()).keys).toEqual([]);
    expect(store.truth()).toEqual([]);
  });

  test('without hostility, lists page through more than 1,000 keys in order', async () => {
    const { here } = open();
    for (let i = 0; i < 2_100; i += 1) await here.put(`k${String(i).padStart(4, '0')}`, '');
    const sizes: number[] = [];
    const names: string[] = [];
    for (let cursor: string | undefined, complete = false; !complete;) {
      const page = await here.list({ prefix: 'k', cursor });
      sizes.push(page.keys.length);
      names.push(...page.keys.map(({ name }) => name));
      complete = page.list_complete;
      cursor = page.list_complete ? undefined : page.cursor;
    }
    expect(sizes).toEqual([1000, 1000, 100]);
    expect(names).toEqual(names.toSorted());
    expect(new Set(names).size).toBe(2_100);
  });
});

describe('stale reads', () => {
  const CACHE = { cacheMilliseconds: 90_000 };

  test('a location serves the old value for a while, and finally the new one', async () => {
    const { clock, here, there, store } = open(CACHE);
    await here.put('key', 'old');
    expect(await there.get('key')).toBe('old');
    await here.put('key', 'new');
    clock.now += 44_000;
    expect(await there.get('key')).toBe('old');
    expect(store.log.at(-1)).toMatchObject({ place: 'there', stale: true });
    clock.now += store.settlesAfterMilliseconds - 44_000;
    expect(await there.get('key')).toBe('new');
    expect(store.log.at(-1)).toMatchObject({ place: 'there', stale: false });
  });

  test('a deleted record stays in a cache that has it', async () => {
    const { here, there } = open(CACHE);
    await here.put('key', 'value');
    await there.get('key');
    await here.delete('key');
    expect(await here.get('key')).toBeNull();
    expect(await there.get('key')).toBe('value');
  });

  test('"not found" is cached, too', async () => {
    const { clock, here, there, store } = open(CACHE);
    expect(await there.get('key')).toBeNull();
    await here.put('key', 'value');
    expect(await there.get('key')).toBeNull();
    expect((await there.get(['key'])).get('key')).toBeNull();
    clock.now += store.settlesAfterMilliseconds;
    expect(await there.get('key')).toBe('value');
  });

  test('a location may miss its own write', async () => {
    const { here } = open({ ...CACHE, ownWriteMissRate: 1 });
    expect(await here.get('key')).toBeNull();
    await here.put('key', 'value');
    expect(await here.get('key')).toBeNull();
  });

  test('a cached record does not outlive its expiration', async () => {
    const { clock, here } = open(CACHE);
    await here.put('key', 'value', { expirationTtl: 60 });
    clock.now += 60_000;
    expect(await here.get('key')).toBeNull();
  });

  test('a longer cacheTtl is respected', async () => {
    const { clock, here, there } = open(CACHE);
    await here.put('key', 'old');
    await there.get('key', { type: 'text', cacheTtl: 600 });
    await here.put('key', 'new');
    clock.now += 599_000;
    expect(await there.get('key')).toBe('old');
    clock.now += 1_000;
    expect(await there.get('key')).toBe('new');
  });

  test('how late a location is depends on the key and the location', async () => {
    const { clock, here, store } = open(CACHE);
    const keys = ['a', 'b', 'c'];
    const places = ['p', 'q', 'r'].map((name) => store.place(name));
    for (const place of places) await place.get(keys);
    for (const key of keys) await here.put(key, 'new');
    const lateness = new Set<number>();
    for (; clock.now < START + 90_000; clock.now += 500) {
      for (const [p, place] of places.entries()) {
        for (const key of keys) if (await place.get(key)) lateness.add(p);
      }
      if (lateness.size > 0) break;
    }
    expect(lateness.size).toBeLessThan(places.length);
  });
});

describe('late listings', () => {
  test('a list misses a new key and shows a deleted one until the lag is over', async () => {
    const { clock, here, store } = open({ listLagMilliseconds: 90_000 });
    await here.put('deleted', 'value');
    clock.now += store.settlesAfterMilliseconds;
    await here.delete('deleted');
    await here.put('new', 'value');
    clock.now += 100;
    expect((await here.list()).keys.map(({ name }) => name)).toEqual(['deleted']);
    expect(store.log.at(-1)).toMatchObject({ op: 'list', stale: true });
    expect(await here.get('deleted')).toBeNull();
    clock.now += store.settlesAfterMilliseconds;
    expect((await here.list()).keys.map(({ name }) => name)).toEqual(['new']);
  });

  test('list pages may be empty or short without being the last', async () => {
    const { here } = open({ emptyPageRate: 1, pageKeys: 2 });
    for (const key of ['a', 'b', 'c']) await here.put(key, '');
    const pages: string[] = [];
    for (let cursor: string | undefined, complete = false; !complete;) {
      const page = await here.list({ cursor });
      pages.push(page.keys.map(({ name }) => name).join(''));
      complete = page.list_complete;
      cursor = page.list_complete ? undefined : page.cursor;
    }
    expect(pages).toEqual(['', 'ab', '', 'c']);
  });
});

describe('refusals and failures', () => {
  test('a second write of a key within a second is refused and changes nothing', async () => {
    const { clock, here, there, store } = open({ writeIntervalMilliseconds: 1_000 });
    await here.put('key', '1');
    clock.now += 999;
    await expect(there.put('key', '2')).rejects.toThrow('KV PUT failed: 429 Too Many Requests');
    await expect(there.delete('key')).rejects.toThrow('KV DELETE failed: 429 Too Many Requests');
    await here.put('another', '1');
    expect(await here.get('key')).toBe('1');
    expect(store.log.map(({ outcome }) => outcome)).toEqual(['done', 'refused', 'refused', 'done', 'done']);
    clock.now += 1;
    await there.put('key', '2');
    expect(await here.get('key')).toBe('2');
  });

  test('a put that fails before the write leaves nothing, one that fails after it leaves the record', async () => {
    const { here, store } = open();
    store.failNext('put', 'before');
    store.failNext('put', 'after');
    await expect(here.put('before', '1')).rejects.toThrow('KV PUT failed: 500');
    await expect(here.put('after', '1')).rejects.toThrow('KV PUT failed: 500');
    await here.put('neither', '1');
    expect(store.truth().map(({ key }) => key)).toEqual(['after', 'neither']);
    expect(store.log.map(({ outcome }) => outcome)).toEqual(['failed-before', 'failed-after', 'done']);
  });

  test('deletes, reads and lists fail on demand, at one location if requested', async () => {
    const { here, there, store } = open();
    await here.put('key', '1');
    store.failNext('delete', 'before', 'there');
    store.failNext('get', 'before');
    store.failNext('list', 'after');
    await expect(here.get('key')).rejects.toThrow('KV GET failed: 500');
    await expect(there.list()).rejects.toThrow('KV GET failed: 500');
    await expect(there.delete('key')).rejects.toThrow('KV DELETE failed: 500');
    expect(await here.get('key')).toBe('1');
    await here.delete('key');
    expect(await here.get('key')).toBeNull();
  });

  test('failures come at about the requested rate, before and after', async () => {
    const { here, store } = open({ failureRates: { ...HOSTILE.failureRates, put: 0.5 } });
    for (let i = 0; i < 400; i += 1) await here.put(`key${i}`, '').catch(() => null);
    const count = (outcome: string) => store.log.filter((entry) => entry.outcome === outcome).length;
    for (const outcome of ['failed-before', 'failed-after']) {
      expect(count(outcome)).toBeGreaterThan(60);
      expect(count(outcome)).toBeLessThan(140);
    }
    expect(store.truth()).toHaveLength(400 - count('failed-before'));
  });
});

describe('reordered writes', () => {
  /** Two locations write the same key 100 ms apart. Returns the value that remains. */
  async function lastStanding(seed: number): Promise<string | undefined> {
    const { clock, here, there, store } = open({ reorderMilliseconds: 2_000 }, seed);
    await here.put('key', 'first');
    clock.now += 100;
    await there.put('key', 'second');
    clock.now += store.settlesAfterMilliseconds;
    const seen = await here.get('key');
    expect(store.truth()[0]?.value).toBe(seen);
    return seen ?? undefined;
  }

  test('if two locations write a key, either may win', async () => {
    const winners = await Promise.all(Array.from({ length: 40 }, (_, seed) => lastStanding(seed)));
    expect(new Set(winners)).toEqual(new Set(['first', 'second']));
  });

  test('the writes of one location keep their order, and each arrives within the bound', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const { clock, here, there, store } = open({ reorderMilliseconds: 2_000 }, seed);
      await here.put('key', 'first');
      await here.put('key', 'second');
      clock.now += store.settlesAfterMilliseconds;
      expect(await there.get('key'), `seed ${seed}`).toBe('second');
    }
  });
});

describe('a run', () => {
  /** Returns the results of a fixed sequence of operations. The caller chooses the keys' names. */
  async function history(seed: number, suffix = ''): Promise<string[]> {
    const { clock, store } = open(HOSTILE, seed);
    const answers: string[] = [];
    for (let i = 0; i < 300; i += 1) {
      const place = store.place(['x', 'y', 'z'][i % 3] ?? 'x');
      const key = `${(i * 7) % 5}${suffix}`;
      const action = [
        async () => place.put(key, String(i)),
        async () => place.get(key),
        async () => (await place.list()).keys.length,
        async () => place.delete(key),
      ][(i * 5) % 4];
      answers.push(String(await action?.().catch((error: unknown) => error)));
      clock.now += 700;
    }
    return answers;
  }

  test('a run is the same for the same seed, whatever random ids the keys contain', async () => {
    expect(await history(7)).toEqual(await history(7));
    expect(await history(7, 'xyz')).toEqual(await history(7));
  });

  test('a run differs for another seed', async () => {
    expect(await history(7)).not.toEqual(await history(8));
  });

  test('a run counts its operations, a bulk read as one', async () => {
    const { here, store } = open();
    await here.put('a', '1');
    await here.get(['a', 'b', 'c']);
    await here.get('a');
    await here.list();
    await here.delete('a');
    await here.get('').catch(() => null);
    expect(store.counters).toEqual({ get: 3, put: 1, delete: 1, list: 1, keysRead: 5 });
    store.resetCounters();
    expect(store.counters).toEqual({ get: 0, put: 0, delete: 0, list: 0, keysRead: 0 });
  });
});

describe('steps', () => {
  test('each operation takes effect between its two hooks', async () => {
    const { store, here } = open();
    const seen: string[] = [];
    const note = (when: string) => (step: Step) => {
      seen.push(`${when} ${describeStep(step)}: ${store.truth().length}`);
    };
    const watched = store.place('far', { beforeStep: note('before'), afterStep: note('after') });
    await watched.put('key', '1');
    await here.get('key');
    expect(seen).toEqual(['before far: KV put key: 0', 'after far: KV put key: 1']);
  });

  test('a crash leaves the steps before it and none after, whatever is caught', async () => {
    for (let steps = 0; steps <= 3; steps += 1) {
      const { store } = open();
      const crash = crashAfter(steps);
      const place = store.place('here', crash);
      for (const key of ['a', 'b', 'c']) {
        await place.put(key, '').catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
      }
      expect(store.truth()).toHaveLength(steps);
      expect(crash.crashedAt() !== undefined).toBe(steps < 3);
    }
  });
});
