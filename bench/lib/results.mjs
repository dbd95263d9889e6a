import { compressedBytes, modulesIn, withWorkerBundle } from '../../scripts/lib/worker-bundle.mjs';
import { bundle } from './bundle.mjs';
import { coldStarts } from './cold.mjs';
import { machineNow } from './machine.mjs';
import { ask, countOperations, interleave } from './measure.mjs';
import { doubt, median, number, percent, spread, table } from './numbers.mjs';
import { startApp } from './pages.mjs';
import { RETIRED, SECTIONS, TARGETS } from './subjects.mjs';
import { startWorker } from './worker.mjs';

/** @typedef {import('./measure.mjs').Slot} Slot */
/** @typedef {import('./measure.mjs').Bench} Bench */
/** @typedef {ReturnType<typeof resultsOf>} Results */
/** @typedef {{ slots: Map<string, Slot[]>, counts: Map<string, import('./measure.mjs').Counts>, bytes: number, cold: { app: number[], bare: number[] } }} Measured */

/** How often all workers are started and measured. Where a process's memory happens to lie makes it some percent faster or slower for life. */
const STARTS = 4;
const QUICK = { rounds: 3, secondsShare: 0.5 };
const COLD_STARTS = { full: 15, quick: 5 };
/** A machine with nothing else to do stays below it. */
const QUIET = 0.05;

/**
 * @param {{ quick: boolean, appTables: string, peerTables: string, before: ReturnType<typeof machineNow> }} options `before`: the machine, before anything was built
 * @returns {Promise<{ text: string, missed: number, all: number }>}
 */
export async function measure({ quick, appTables, peerTables, before }) {
  /** @type {string[]} */
  const parts = [];
  const say = (/** @type {string} */ text) => {
    parts.push(text);
    console.log(`\n${text}`);
  };
  /** @type {Measured} */
  const measured = { slots: new Map(), counts: new Map(), bytes: NaN, cold: { app: [], bare: [] } };
  const results = resultsOf(measured);

  for (let start = 1; start <= (quick ? 1 : STARTS); start += 1) {
    const bench = await startAll(appTables, peerTables);
    for (const section of SECTIONS) {
      console.log(`${section.title}, start ${start} …`);
      await measureSection(bench, section, quick, measured);
    }
    for (const { worker } of Object.values(bench)) await worker.miniflare.dispose();
  }
  const head = ['', 'req/s', '±', 'p50 ms', 'CPU ms', 'to its floor', 'operations'];
  for (const section of SECTIONS) {
    const rows = section.subjects.map((subject) => results.row(section, subject));
    say(`## ${section.title}\n\n${section.note}\n\n${table(head, rows)}`);
  }

  measured.bytes = await compressedBytes(await withWorkerBundle(modulesIn));
  measured.cold = await coldStarts(quick ? COLD_STARTS.quick : COLD_STARTS.full);
  const { app, bare } = measured.cold;
  const weights = [
    ['worker, compressed, kB', number(measured.bytes / 1_000), ''],
    ['start to first answer of / signed in, ms', number(median(app)), percent(spread(app))],
    ['the same without Prisma in it, ms', number(median(bare)), percent(spread(bare))],
  ];
  say(`## Weight and cold start\n\n${table(['', '', '±'], weights)}`);

  const targets = TARGETS.map((target) => targetRow(target, results));
  const columns = ['', 'target', 'floor', 'value', '', 'why'];
  const rows = targets.map(({ row }) => row);
  const retired = RETIRED.map((line) => `- ${line}`).join('\n');
  say(`## Targets\n\n${table(columns, rows)}\n\nNo more, as no design can reach them:\n\n${retired}`);
  say(aboutTheMachine(before, results));
  return {
    text: `# Results\n\n${parts.join('\n\n')}\n`,
    missed: targets.filter(({ isMet }) => !isMet).length,
    all: targets.length,
  };
}

/**
 * Adds a section's slots to what was measured, and counts its operations.
 * @param {Bench} bench
 * @param {import('./subjects.mjs').Section} section
 * @param {boolean} quick
 * @param {Measured} measured
 */
async function measureSection(bench, section, quick, { slots, counts }) {
  const { warmUp, rounds, seconds } = section;
  const { secondsShare: share } = QUICK;
  const short = {
    warmUp: warmUp * share,
    rounds: Math.min(rounds, QUICK.rounds),
    seconds: seconds * share,
  };
  for (const [id, own] of await interleave(bench, { ...section, ...(quick && short) }))
    slots.set(id, [...(slots.get(id) ?? []), ...own]);
  for (const subject of section.subjects) counts.set(subject.id, await countOperations(bench, subject));
}

/**
 * Every worker, each in a workerd of its own, with its stores filled.
 * @param {string} appTables
 * @param {string} peerTables
 * @returns {Promise<Bench>}
 */
async function startAll(appTables, peerTables) {
  return { app: await startApp(appTables), ...(await startContenders(appTables, peerTables)) };
}

/**
 * The workers of bench/workers.
 * @param {string} appTables
 * @param {string} peerTables
 */
export async function startContenders(appTables, peerTables) {
  /** @type {Bench} */
  const bench = {};
  const tables = { floors: appTables, ours: appTables, 'better-auth': '', lucia: peerTables };
  for (const [name, sql] of Object.entries(tables)) {
    const worker = await startWorker(name, await bundle(`bench/workers/${name}.ts`), { sql });
    const { status, body } = await ask(worker.url, { path: '/seed' });
    if (status !== 200) throw new Error(`[bench] seeding ${name} answered ${status}: ${body}`);
    bench[name] = { worker, seeded: JSON.parse(body) };
  }
  return bench;
}

/**
 * What the tables and the targets ask of what was measured.
 * @param {Measured} measured
 */
function resultsOf(measured) {
  const slotsOf = (/** @type {string} */ id) => measured.slots.get(id) ?? [];
  const valuesOf = (/** @type {string} */ id, /** @type {keyof Slot} */ what) =>
    slotsOf(id).map((slot) => slot[what]);

  /**
   * A subject to another, by what its section compares unless it is said: by round, so that what slowed a round down slowed both.
   * @param {string} id
   * @param {string} to
   * @param {keyof Slot} [by]
   */
  function ratio(id, to, by = sectionOf(id)?.by ?? 'perSecond') {
    const floor = valuesOf(to, by);
    const ratios = valuesOf(id, by).map((value, round) => value / (floor[round] ?? NaN));
    return { value: median(ratios), doubt: doubt(ratios) };
  }

  return {
    ratio,
    /** @param {string} id @param {string} to */
    cpuRatio: (id, to) => ratio(id, to, 'cpu'),
    /** @param {string} id @param {string} to */
    words: (id, to) => number(ratio(id, to).value, 2),
    /** @param {string} id @param {string} what a kind of operation, or `deletesAtOnce` */
    operations(id, what) {
      const counts = measured.counts.get(id);
      return { value: (what === 'deletesAtOnce' ? counts?.deletesAtOnce : counts?.all[what]) ?? NaN };
    },
    get megabytes() {
      return measured.bytes / 1_000_000;
    },
    get coldStart() {
      return { value: median(measured.cold.app) / median(measured.cold.bare) };
    },
    /** How much the floors of stores varied. */
    get noise() {
      return Math.max(
        ...['floors/kv', 'floors/d1', 'floors/both'].map((id) => spread(valuesOf(id, 'perSecond'))),
      );
    },
    /** @param {import('./subjects.mjs').Section} section @param {import('./subjects.mjs').Subject} subject */
    row({ by }, { id, title, floor }) {
      const digits = by === 'perSecond' ? 0 : 1;
      const perSecond = valuesOf(id, 'perSecond');
      return [
        title,
        number(median(perSecond), digits),
        percent(spread(perSecond)),
        number(median(valuesOf(id, 'milliseconds')), 1),
        number(median(valuesOf(id, 'cpu')), 2),
        floor ? number(ratio(id, floor).value, 2) : '',
        inWords(measured.counts.get(id)),
      ];
    },
  };
}

/** @param {string} id */
const sectionOf = (id) => SECTIONS.find(({ subjects }) => subjects.some((one) => one.id === id));

/** "1 KV get, 1 D1; after the answer 999 KV delete" @param {import('./measure.mjs').Counts | undefined} counts */
function inWords(counts) {
  const { before = {}, all = {} } = counts ?? {};
  const after = Object.fromEntries(
    Object.entries(all).map(([name, count]) => [name, count - (before[name] ?? 0)]),
  );
  const [first, then] = [before, after].map((some) =>
    Object.entries(some)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`)
      .join(', '),
  );
  return `${first || 'none'}${then && `; after the answer ${then}`}`;
}

/**
 * The row of a target: what, bound, value, met or missed by how much, and why.
 * @param {import('./subjects.mjs').Target} target
 * @param {Results} results
 */
function targetRow({ what, atLeast, atMost, digits = 2, value: of, floor, why }, results) {
  const { value, doubt: relative = 0 } = of(results);
  const isMet = value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
  const bound = atLeast ?? atMost ?? NaN;
  const distance = Math.abs(value - bound);
  const verdict = isMet ? 'met' : `missed by ${number(distance, digits)}`;
  const note = distance < value * relative ? ', within the noise' : '';
  const shown = number(value, digits) + (relative ? ` ± ${number(value * relative, digits)}` : '');
  const wanted = `${atLeast === undefined ? '≤' : '≥'} ${number(bound, digits)}`;
  return {
    isMet,
    row: [what, wanted, floor?.(results) ?? '', shown, verdict + note, isMet ? '' : (why ?? '')],
  };
}

/**
 * @param {ReturnType<typeof machineNow>} before
 * @param {Results} results
 */
function aboutTheMachine(before, { noise }) {
  const after = machineNow();
  const stolen = (after.stolen - before.stolen) / (after.all - before.all);
  return (
    `Measured on ${before.cores} cores of ${before.model}, Node ${process.version}; load ${number(before.load, 2)} before it began. ` +
    `The floors varied by up to ${percent(noise)} between rounds; the machine's host took ${percent(stolen)} of its time.` +
    (noise > QUIET ? ' That is much: read no difference of a few percent out of this run.' : '')
  );
}
