import { env } from 'cloudflare:workers';
import { expect, test } from 'vitest';
import { everyInterleaving } from './interleavings';
import { observeD1 } from './observed-d1';
import { Crash, crashAfter, describeStep, type StepHooks } from './steps';

const insert = (db: D1Database, id: string) =>
  db.prepare('INSERT INTO User (id, username) VALUES (?1, ?1)').bind(id);
const names = async () =>
  (await env.DB.prepare("SELECT id FROM User WHERE id LIKE 'observed%' ORDER BY id").raw()).flat();

test('a real D1 is counted, stepped and crashed like the simulated one', async () => {
  const steps: string[] = [];
  const crash = crashAfter(2, { beforeStep: (step) => void steps.push(describeStep(step)) });
  const { db, counters } = observeD1(env.DB, crash, 'worker');
  await db.batch([insert(db, 'observed-a'), insert(db, 'observed-b')]);
  expect(await db.prepare('SELECT id FROM User WHERE id = ?1').bind('observed-a').first('id')).toBe(
    'observed-a',
  );
  await expect(insert(db, 'observed-c').run()).rejects.toBeInstanceOf(Crash);
  expect(await names()).toEqual(['observed-a', 'observed-b']);
  expect(counters).toEqual({ roundTrips: 3, queries: 4 });
  expect(steps).toEqual([
    'worker: D1 INSERT INTO User; INSERT INTO User observed-a',
    'worker: D1 SELECT id FROM observed-a',
  ]);
  expect(() => db.batch([env.DB.prepare('SELECT 1')])).toThrow('prepare them on it');
});

test('processes on a real D1 are interleaved step by step', async () => {
  const { connect } = observeD1(env.DB);
  const schedules: string[] = [];
  const makeRun = async () => {
    await env.DB.prepare("DELETE FROM User WHERE id LIKE 'observed%'").run();
    return {
      processes: {
        adds: async (gate: StepHooks) => {
          await insert(connect(gate), 'observed-x').run();
          await insert(connect(gate), 'observed-y').run();
        },
        counts: async (gate: StepHooks) =>
          connect(gate).prepare("SELECT COUNT(*) AS n FROM User WHERE id LIKE 'observed%'").first('n'),
      },
    };
  };
  const counts: unknown[] = [];
  for await (const { schedule, outcomes } of everyInterleaving(makeRun)) {
    schedules.push(schedule);
    counts.push(outcomes.counts?.status === 'fulfilled' && outcomes.counts.value);
  }
  expect(new Set(schedules).size).toBe(3);
  expect(counts).toEqual([2, 1, 0]);
});
