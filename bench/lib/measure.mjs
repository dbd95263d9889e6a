import { Agent, request } from 'node:http';
import { cpuMilliseconds } from './machine.mjs';
import { median } from './numbers.mjs';

/** @typedef {import('./subjects.mjs').Subject} Subject */
/** @typedef {import('./worker.mjs').Worker} Worker */
/** @typedef {Record<string, { worker: Worker, seeded: Record<string, string> }>} Bench the workers by name, with the cookies for their paths */
/** @typedef {{ perSecond: number, milliseconds: number, cpu: number }} Slot requests a second, the median time of an answer, and workerd's CPU for one, in milliseconds */
/** @typedef {{ before: Record<string, number>, all: Record<string, number>, deletesAtOnce: number }} Counts store operations until the answer, and in all */
/** @typedef {{ method?: string, path: string, headers?: Record<string, string>, body?: string }} Request */

/** Before a turn is measured it runs unmeasured, for this share of the measured time. */
const WARM_UP_SHARE = 0.25;

/** @type {Map<number, Agent>} */
const agents = new Map();

/**
 * One request over a connection that is kept.
 * @param {URL} url
 * @param {Request} wanted
 * @param {number} [connections]
 * @returns {Promise<{ status: number, headers: import('node:http').IncomingHttpHeaders, body: string }>}
 */
export function ask(url, { method = 'GET', path, headers, body }, connections = 1) {
  const agent =
    agents.get(connections) ?? new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
  agents.set(connections, agent);
  return new Promise((resolve, reject) => {
    const options = { agent, method, headers, host: url.hostname, port: url.port, path };
    const outgoing = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      );
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/**
 * Measures a section's subjects. A floor and those that are compared with it take turns, A B C A B C …, so that what the machine does
 * meanwhile meets all alike. One floor after the other: more workers in turn would empty each other's CPU caches, which costs a large one
 * more than a floor.
 * @param {Bench} bench
 * @param {import('./subjects.mjs').Section} section
 * @returns {Promise<Map<string, Slot[]>>} the slots of each subject, one for each round
 */
export async function interleave(bench, { subjects, ...how }) {
  /** @type {Map<string, Slot[]>} */
  const slots = new Map(subjects.map(({ id }) => [id, []]));
  const byFloor = Object.groupBy(subjects, ({ id, floor = id }) => floor);
  for (const group of Object.values(byFloor)) await takeTurns(bench, group ?? [], how, slots);
  return slots;
}

/**
 * @param {Bench} bench
 * @param {Subject[]} subjects
 * @param {{ warmUp: number, rounds: number, seconds: number, connections: number }} how
 * @param {Map<string, Slot[]>} slots where they go
 */
async function takeTurns(bench, subjects, { warmUp, rounds, seconds, connections }, slots) {
  // The isolate, its compiler, the stores' caches. V8 compiles what is called often in steps, for the first thousand requests or so.
  for (const subject of subjects)
    await load(bench, subject, { seconds: subject.once ? 0 : warmUp, connections });
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      // Since this subject's last turn, others used the CPU's caches, and V8 may have dropped compiled code.
      if (!subject.once) await load(bench, subject, { seconds: seconds * WARM_UP_SHARE, connections });
      const slot = await load(bench, subject, { seconds: subject.once ? 0 : seconds, connections });
      slots.get(subject.id)?.push(slot);
    }
  }
}

/**
 * Asks again and again for some time, each connection as soon as it is answered; of no seconds, each asks once.
 * @param {Bench} bench
 * @param {Subject} subject
 * @param {{ seconds: number, connections: number }} how
 * @returns {Promise<Slot>}
 */
async function load(bench, subject, { seconds, connections }) {
  const { worker, wanted } = await readyTarget(bench, subject);
  /** @type {number[]} */
  const times = [];
  const cpuBefore = cpuMilliseconds(worker.pid);
  const startedAt = performance.now();
  const connection = async () => {
    let now = performance.now();
    do {
      requireAnswer(subject, await ask(worker.url, wanted, connections));
      const answeredAt = performance.now();
      times.push(answeredAt - now);
      now = answeredAt;
    } while (now < startedAt + seconds * 1_000);
  };
  await Promise.all(Array.from({ length: connections }, connection));
  const elapsed = performance.now() - startedAt;
  if (subject.once) await idle(worker);
  return {
    perSecond: (times.length * 1_000) / elapsed,
    milliseconds: median(times),
    cpu: (cpuMilliseconds(worker.pid) - cpuBefore) / times.length,
  };
}

/**
 * What to ask for a subject, with the cookies of its session.
 * @param {Bench} bench
 * @param {Subject} subject
 */
async function readyTarget(bench, { id, worker: name, path, guest, once, keepsCookies }) {
  const { worker, seeded } = /** @type {Bench[string]} */ (bench[name]);
  const session = once ? (await ask(worker.url, { path: `${path}/seed` })).body : seeded[path];
  /** @type {Record<string, string>} */
  const headers = session && !guest ? { cookie: session } : {};
  if (!keepsCookies) return { worker, wanted: { path, headers } };
  const answer = await ask(worker.url, { path, headers });
  const set = (answer.headers['set-cookie'] ?? []).map((line) => line.split(';', 1)[0]);
  if (set.length === 0) throw new Error(`[bench] ${id} sets no cookie to go on with`);
  return { worker, wanted: { path, headers: { cookie: [session, ...set].join('; ') } } };
}

/**
 * @param {Subject} subject
 * @param {{ status: number, body: string }} got
 * @param {string} [answer] what is compared, when it is not the whole body
 */
function requireAnswer({ id, status = 200, answer: expected }, got, answer = got.body) {
  if (got.status === status && (expected === undefined || answer === expected)) return;
  throw new Error(`[bench] ${id} answered ${got.status}: ${got.body.slice(0, 500)}`);
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
 * The store operations of one request: of the second, as the first may set something up. The app tells its own, in `Server-Timing`.
 * @param {Bench} bench
 * @param {Subject} subject
 * @returns {Promise<Counts>}
 */
export async function countOperations(bench, subject) {
  const { worker, wanted } = await readyTarget(bench, subject);
  const counted = { ...wanted, headers: { ...wanted.headers, 'x-count': '1' } };
  if (!subject.once) await ask(worker.url, counted);
  const got = await ask(worker.url, counted);
  if (subject.worker === 'app') {
    requireAnswer(subject, got);
    const timing = String(got.headers['server-timing']).matchAll(/([\w-]+);desc="([1-9]\d*)"/g);
    const all = Object.fromEntries([...timing].map(([, name, count]) => [name, Number(count)]));
    return { before: all, all, deletesAtOnce: 0 };
  }
  const { answer, ...counts } = JSON.parse(got.body);
  requireAnswer(subject, got, answer);
  return counts;
}
