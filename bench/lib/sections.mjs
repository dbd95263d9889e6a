import { bundle } from './bundle.mjs';
import { ask, median, spread } from './load.mjs';
import { machine, machineTicks } from './machine.mjs';
import { countOperations, interleave, timeOnce } from './measure.mjs';
import { plot } from './plot.mjs';
import { number, operations, percent, ratio, table } from './report.mjs';
import { END_OTHERS, LISTINGS, RENEWAL, REQUESTS, SIGN_INS, WRITE } from './subjects.mjs';
import { isMet, targetRow } from './targets.mjs';
import { startWorker } from './worker.mjs';

/** @typedef {import('./load.mjs').Slot} Slot */
/** @typedef {import('./measure.mjs').Bench} Bench */

const FULL = {
  requests: { rounds: 11, seconds: 1, connections: 8 },
  signIns: { rounds: 7, seconds: 1.5, connections: 1 },
  listings: { rounds: 7, seconds: 0.5, connections: 1 },
};
const QUICK = {
  requests: { rounds: 3, seconds: 0.5, connections: 8 },
  signIns: { rounds: 3, seconds: 0.5, connections: 1 },
  listings: { rounds: 3, seconds: 0.3, connections: 1 },
};

/**
 * @param {{ quick: boolean, appTables: string, peerTables: string }} options
 * @returns {Promise<{ text: string, plot: string, missed: number, all: number }>}
 */
export async function measure({ quick, appTables, peerTables }) {
  const how = quick ? QUICK : FULL;
  const before = { ...machine(), ...machineTicks() };
  /** @type {string[]} */
  const parts = [];
  const say = (/** @type {string} */ text) => {
    parts.push(text);
    console.log(`\n${text}`);
  };

  /** @type {Bench} */
  const bench = {};
  const tables = { floors: appTables, ours: appTables, 'better-auth': '', lucia: peerTables };
  for (const [name, sql] of Object.entries(tables)) {
    const worker = await startWorker(name, await bundle(`bench/workers/${name}.ts`), { sql });
    const { status, body } = await ask(worker.url, { path: '/seed' });
    if (status !== 200) throw new Error(`[bench] seeding ${name} answered ${status}: ${body}`);
    bench[name] = { worker, seeded: JSON.parse(body) };
  }

  say('## An authenticated request\n\nIt answers with the name of who is signed in.');
  const requests = await interleave(bench, REQUESTS, how.requests);
  const [, kv = '', d1 = '', both = ''] = REQUESTS.map(({ id }) => id);
  const floorOf = { KV: kv, D1: d1, 'KV ∥ D1': both, 'KV, D1': both };
  const requestRows = [];
  for (const { id, title, stores } of REQUESTS) {
    const slots = requests[id] ?? [];
    const floor = floorOf[/** @type {keyof typeof floorOf} */ (stores)];
    const toFloor =
      floor && floor !== id ? number(ratio(slots, requests[floor] ?? [], 'perSecond').median, 2) : '';
    const subject = REQUESTS.find((one) => one.id === id);
    const { all } = subject ? await countOperations(bench, subject) : { all: {} };
    requestRows.push([title, ...rates(slots), toFloor, operations(all)]);
  }
  say(table(['', 'req/s', '±', 'p50 ms', 'CPU ms', 'to its floor', 'operations'], requestRows));

  say('## Sign-in\n\nOf an account whose password is right; one connection.');
  const signIns = await interleave(bench, SIGN_INS, how.signIns);
  const scrypt = signIns[SIGN_INS[0]?.id ?? ''] ?? [];
  const signInRows = [];
  for (const subject of SIGN_INS) {
    const slots = signIns[subject.id] ?? [];
    const { all } = await countOperations(bench, subject);
    signInRows.push([
      subject.title,
      ...rates(slots, 1),
      number(ratio(slots, scrypt, 'cpu').median, 2),
      operations(all),
    ]);
  }
  say(table(['', 'req/s', '±', 'p50 ms', 'CPU ms', 'CPU to scrypt', 'operations'], signInRows));

  say('## Listing\n\nOne connection.');
  const listings = await interleave(bench, LISTINGS, how.listings);
  const listingRows = [];
  for (const subject of LISTINGS) {
    const slots = listings[subject.id] ?? [];
    const { all } = await countOperations(bench, subject);
    listingRows.push([subject.title, ...rates(slots, 1), operations(all)]);
  }
  say(table(['', 'req/s', '±', 'p50 ms', 'CPU ms', 'operations'], listingRows));

  say('## Ending 999 other sessions, and a renewal');
  const ended = await timeOnce(bench, END_OTHERS, WRITE);
  const lastSession = (bench.ours?.seeded[END_OTHERS.path]?.length ?? 0) - 1;
  const endCounts = await countOperations(bench, END_OTHERS, lastSession);
  const renewal = await countOperations(bench, RENEWAL, 0);
  say(
    table(
      ['', 'ms', '±', 'operations before the answer', 'in all', 'KV deletes at once'],
      [
        [
          WRITE.title,
          number(median(ended.floorTimes), 1),
          percent(spread(ended.floorTimes)),
          '1 D1',
          '1 D1',
          '',
        ],
        [
          END_OTHERS.title,
          number(median(ended.times), 1),
          percent(spread(ended.times)),
          operations(endCounts.before),
          operations(endCounts.all),
          String(endCounts.deletesAtOnce),
        ],
        [RENEWAL.title, '', '', operations(renewal.before), operations(renewal.all), ''],
      ],
    ),
  );

  const rateTo = (/** @type {string} */ id, /** @type {string} */ other) =>
    ratio(requests[id] ?? [], requests[other] ?? [], 'perSecond').median;
  const timeTo = (/** @type {string} */ id, /** @type {string} */ other) =>
    ratio(listings[id] ?? [], listings[other] ?? [], 'milliseconds').median;
  /** @type {import('./targets.mjs').Target[]} */
  const targets = [
    { what: 'peek to one KV get, req/s', value: rateTo('ours/peek', kv), atLeast: 0.9 },
    { what: 'require to both at once, req/s', value: rateTo('ours/require', both), atLeast: 0.85 },
    { what: 'peek to better-auth on KV, req/s', value: rateTo('ours/peek', 'better-auth/kv'), atLeast: 1.8 },
    {
      what: 'require to better-auth on D1 with joins, req/s',
      value: rateTo('ours/require', 'better-auth/d1'),
      atLeast: 1.8,
    },
    {
      what: 'sign-in to scrypt alone, CPU',
      value: ratio(signIns['ours/sign-in'] ?? [], scrypt, 'cpu').median,
      atMost: 1.15,
    },
    { what: 'renewal: KV gets', value: renewal.all['KV get'] ?? 0, atMost: 1, digits: 0 },
    { what: 'renewal: KV puts', value: renewal.all['KV put'] ?? 0, atMost: 1, digits: 0 },
    {
      what: 'listing 100 sessions to one list, time',
      value: timeTo('ours/list-100', 'floors/list-100'),
      atMost: 1.3,
    },
    {
      what: 'listing 1,000 sessions to one list, time',
      value: timeTo('ours/list-1000', 'floors/list-1000'),
      atMost: 2,
    },
    {
      what: 'ending 999 others to one D1 write, time',
      value: median(ended.times) / median(ended.floorTimes),
      atMost: 1,
    },
    { what: 'ending 999 others: KV deletes at once', value: endCounts.deletesAtOnce, atMost: 6, digits: 0 },
  ];
  say('## Targets');
  say(table(['', 'target', 'value', '', 'why'], targets.map(targetRow)));

  const after = machineTicks();
  const noise = spread((requests[kv] ?? []).map(({ perSecond }) => perSecond));
  const stolen = (after.stolen - before.stolen) / (after.all - before.all);
  say(
    `Measured on ${before.cores} cores of ${before.model}, Node ${process.version}; load ${number(before.load, 2)} at the start. ` +
      `The floor of one KV get varied by ${percent(noise)} between rounds; the machine's host took ${percent(stolen)} of its time.`,
  );
  for (const { worker } of Object.values(bench)) await worker.miniflare.dispose();
  return {
    text: `# Results\n\n${parts.join('\n\n')}\n`,
    plot: plot(REQUESTS, requests),
    missed: targets.filter((target) => !isMet(target)).length,
    all: targets.length,
  };
}

/**
 * Requests a second, their spread, the median answer in milliseconds and the CPU for one.
 * @param {Slot[]} slots
 * @param {number} [digits]
 */
function rates(slots, digits = 0) {
  const perSecond = slots.map((slot) => slot.perSecond);
  return [
    number(median(perSecond), digits),
    percent(spread(perSecond)),
    number(median(slots.map((slot) => slot.milliseconds)), 1),
    number(median(slots.map((slot) => slot.cpu)), 2),
  ];
}
