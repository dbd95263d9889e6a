import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHostileKV } from './hostile-kv';
import { commute, everyInterleaving, type Commute, type Process } from './interleavings';
import { crashAfter, type StepHooks } from './steps';

const START = Date.UTC(2026, 0, 1);

function open() {
  const store = createHostileKV({ seed: 1, hostility: {}, now: () => START });
  return { store, at: (gate: StepHooks) => store.place('here', gate) };
}

async function schedulesOf(makeRun: () => { processes: Record<string, Process> }): Promise<string[]> {
  const schedules: string[] = [];
  for await (const { schedule } of everyInterleaving(makeRun)) schedules.push(schedule);
  return schedules;
}

test('two processes of three and two steps can be ordered in ten ways, each run once', async () => {
  const schedules = await schedulesOf(() => {
    const { at } = open();
    const puts = (count: number) => async (gate: StepHooks) => {
      for (let i = 0; i < count; i += 1) await at(gate).put('key', String(i));
    };
    return { processes: { left: puts(3), right: puts(2) } };
  });
  expect(schedules).toHaveLength(10);
  expect(new Set(schedules).size).toBe(10);
  expect(schedules[0]).toBe(['left', 'left', 'left', 'right', 'right'].map((n) => `${n}: KV put`).join('\n'));
});

test('a lost update between a read and a write is found', async () => {
  const ends: (string | null)[] = [];
  const makeRun = () => {
    const { store, at } = open();
    const append = (word: string) => async (gate: StepHooks) => {
      const list = (await at(gate).get('list')) ?? '';
      await at(gate).put('list', list + word);
    };
    return { store, processes: { a: append('a'), b: append('b') } };
  };
  for await (const { run } of everyInterleaving(makeRun)) ends.push(run.store.truth()[0]?.value ?? null);
  expect(ends).toHaveLength(6);
  expect(new Set(ends)).toEqual(new Set(['ab', 'ba', 'a', 'b']));
});

test('steps that one process starts at once are ordered both ways', async () => {
  const schedules = await schedulesOf(() => {
    const { at } = open();
    return {
      processes: {
        both: async (gate: StepHooks) => Promise.all([at(gate).get('x'), at(gate).put('y', '')]),
        other: async (gate: StepHooks) => at(gate).list(),
      },
    };
  });
  expect(schedules).toHaveLength(6);
  expect(new Set(schedules).size).toBe(6);
});

test('a step that one branch starts one turn of the event loop later is ordered against the other branch', async () => {
  const schedules = await schedulesOf(() => {
    const { at } = open();
    return {
      processes: {
        both: async (gate: StepHooks) =>
          Promise.all([at(gate).get('x'), setImmediate().then(() => at(gate).put('y', ''))]),
      },
    };
  });
  expect(schedules).toEqual(['both: KV get\nboth: KV put', 'both: KV put\nboth: KV get']);
});

test('a process may take other steps depending on what it read', async () => {
  const schedules = await schedulesOf(() => {
    const { at } = open();
    return {
      processes: {
        careful: async (gate: StepHooks) => {
          if (await at(gate).get('key')) await at(gate).delete('key');
        },
        writer: async (gate: StepHooks) => at(gate).put('key', '1'),
      },
    };
  });
  expect(schedules).toEqual([
    'careful: KV get\nwriter: KV put',
    'writer: KV put\ncareful: KV get\ncareful: KV delete',
  ]);
});

test('work that continues after its process has ended is scheduled too, and slow work is waited for', async () => {
  const schedules = await schedulesOf(() => {
    const { at } = open();
    return {
      processes: {
        answers: async (gate: StepHooks) => {
          await crypto.subtle.digest('SHA-256', new Uint8Array(100_000));
          void at(gate).delete('key');
        },
        other: async (gate: StepHooks) => at(gate).put('key', '1'),
      },
    };
  });
  expect(schedules).toEqual(['answers: KV delete\nother: KV put', 'other: KV put\nanswers: KV delete']);
});

test('the outcomes say how each process ended, including by a crash', async () => {
  const makeRun = () => {
    const { at } = open();
    return {
      processes: {
        fine: async (gate: StepHooks) => at(gate).get('key'),
        crashes: async (gate: StepHooks) => {
          const place = at(crashAfter(1, gate));
          await place.put('key', '1');
          await place.delete('key');
        },
      },
    };
  };
  const seen: unknown[] = [];
  for await (const { outcomes } of everyInterleaving(makeRun)) {
    seen.push(outcomes.fine?.status === 'fulfilled' && outcomes.fine.value);
    expect(outcomes.crashes).toMatchObject({ status: 'rejected', reason: { name: 'Crash' } });
  }
  expect(seen).toEqual([null, '1']);
});

test('a run that differs when repeated is refused', async () => {
  let runs = 0;
  const schedules = schedulesOf(() => {
    const { at } = open();
    const put = async (gate: StepHooks) => at(gate).put('key', '');
    const get = async (gate: StepHooks) => at(gate).get('key');
    return { processes: { a: (runs += 1) === 1 ? put : get, b: put } };
  });
  await expect(schedules).rejects.toThrow('not the same run twice');
});

test('if commuting steps are taken in one order, the outcomes and final states are the same, in fewer runs', async () => {
  const operation = fc.record({
    op: fc.constantFrom('get', 'put', 'delete', 'list'),
    key: fc.constantFrom('a', 'b', 'c'),
  });
  type Operation = { op: string; key: string };
  const program = fc.array(operation, { minLength: 1, maxLength: 3 });
  let [all, fewer] = [0, 0];
  const play =
    (place: KVNamespace, name: string) =>
    async ({ op, key }: Operation) => {
      if (op === 'put') return place.put(key, name);
      if (op === 'list') return (await place.list()).keys.map((listed) => listed.name);
      return op === 'get' ? place.get(key) : place.delete(key);
    };
  await fc.assert(
    fc.asyncProperty(program, program, async (left, right) => {
      const makeRun = () => {
        const { store, at } = open();
        const inTurn = async (gate: StepHooks) => {
          const answers: unknown[] = [];
          for (const one of left) answers.push(await play(at(gate), 'left')(one));
          return answers;
        };
        const atOnce = (gate: StepHooks) => Promise.all(right.map(play(at(gate), 'right')));
        return { store, processes: { inTurn, atOnce } };
      };
      const seenWith = async (commutes?: Commute) => {
        const seen: string[] = [];
        for await (const { run, outcomes } of everyInterleaving(makeRun, commutes))
          seen.push(JSON.stringify([run.store.truth(), outcomes.inTurn, outcomes.atOnce]));
        return seen;
      };
      const [every, some] = [await seenWith(), await seenWith(commute)];
      expect(new Set(some)).toEqual(new Set(every));
      all += every.length;
      fewer += some.length;
    }),
    { numRuns: 100, seed: 1 },
  );
  expect(fewer).toBeLessThan(all);
  console.info(`${all} interleavings, ${fewer} of them apart`);
});
