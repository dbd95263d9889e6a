import { ask, load, median } from './load.mjs';
import { cpuMilliseconds } from './machine.mjs';

/** @typedef {import('./subjects.mjs').Subject} Subject */
/** @typedef {import('./worker.mjs').Worker} Worker */
/** @typedef {Record<string, { worker: Worker, seeded: Record<string, string[]> }>} Bench the workers by name, with the cookies for their subjects */
/** @typedef {import('./load.mjs').Slot} Slot */
/** @typedef {{ before: Record<string, number>, all: Record<string, number>, deletesAtOnce: number }} Counts store operations until the answer, and in all */

/**
 * @param {Bench} bench
 * @param {Subject} subject
 * @param {number} [nth] which of its sessions
 */
export function targetOf(bench, { worker: name, path }, nth = 0) {
  const { worker, seeded } = /** @type {Bench[string]} */ (bench[name]);
  const cookie = seeded[path]?.[nth];
  return {
    worker,
    wanted: { path, headers: /** @type {Record<string, string>} */ (cookie ? { cookie } : {}) },
  };
}

/**
 * Measures the subjects in turn, A B C A B C …, so that what the machine does meanwhile meets all alike.
 * @param {Bench} bench
 * @param {Subject[]} subjects
 * @param {{ rounds: number, seconds: number, connections: number }} how
 * @returns {Promise<Record<string, Slot[]>>} the slots of each subject, one for each round
 */
export async function interleave(bench, subjects, { rounds, ...slot }) {
  /** @type {Record<string, Slot[]>} */
  const slots = Object.fromEntries(subjects.map(({ id }) => [id, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const subject of subjects) {
      const { worker, wanted } = targetOf(bench, subject);
      const measured = await load(worker, wanted, { ...slot, body: subject.answer });
      // The first round warms up: the isolate, its compiler, the stores' caches.
      if (round > 0) slots[subject.id]?.push(measured);
    }
  }
  return slots;
}

/**
 * How long one request takes that can be made only once with a session. With the floors between, in turn.
 * @param {Bench} bench
 * @param {Subject} subject
 * @param {Subject[]} floors
 * @returns {Promise<{ times: number[], floorTimes: number[][] }>} milliseconds; those of each floor
 */
export async function timeOnce(bench, subject, floors) {
  const times = [];
  const floorTimes = /** @type {number[][]} */ (floors.map(() => []));
  const cookies = bench[subject.worker]?.seeded[subject.path] ?? [];
  // The last one is for the counts.
  for (let nth = 0; nth < cookies.length - 1; nth += 1) {
    for (const [i, floor] of floors.entries()) {
      const floorTarget = targetOf(bench, floor);
      const few = [];
      for (let time = 0; time < 5; time += 1)
        few.push(await timed(floorTarget.worker, floorTarget.wanted, floor.answer));
      floorTimes[i]?.push(median(few));
    }
    const { worker, wanted } = targetOf(bench, subject, nth);
    times.push(await timed(worker, wanted, subject.answer));
    await idle(worker);
  }
  return { times, floorTimes };
}

const LOOK_MILLISECONDS = 300;
const IDLE_SHARE = 0.1;
const LOOKS = 100;

/** Waits until a worker has done what it does in the background. @param {Worker} worker */
async function idle({ pid }) {
  for (let look = 0; look < LOOKS; look += 1) {
    const before = cpuMilliseconds(pid);
    if (Number.isNaN(before)) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MILLISECONDS));
    if (cpuMilliseconds(pid) - before < IDLE_SHARE * LOOK_MILLISECONDS) return;
  }
}

/**
 * @param {Worker} worker
 * @param {import('./load.mjs').Request} wanted
 * @param {string} answer
 */
async function timed(worker, wanted, answer) {
  const startedAt = performance.now();
  const { status, body } = await ask(worker.url, wanted);
  if (status !== 200 || body !== answer)
    throw new Error(`[bench] ${worker.name} ${wanted.path} answered ${status}: ${body}`);
  return performance.now() - startedAt;
}

/**
 * The store operations of one request: of the second, as the first may set something up.
 * @param {Bench} bench
 * @param {Subject} subject
 * @param {number} [nth] for a request that can be made only once: its session; then it is the first
 * @returns {Promise<Counts>}
 */
export async function countOperations(bench, subject, nth) {
  const { worker, wanted } = targetOf(bench, subject, nth);
  const counted = { ...wanted, headers: { ...wanted.headers, 'x-count': '1' } };
  if (nth === undefined) await ask(worker.url, counted);
  const { status, body } = await ask(worker.url, counted);
  if (status !== 200) throw new Error(`[bench] ${subject.id} answered ${status}: ${body}`);
  const { answer, ...counts } = JSON.parse(body);
  if (answer !== subject.answer) throw new Error(`[bench] ${subject.id} answered ${answer}`);
  return counts;
}
