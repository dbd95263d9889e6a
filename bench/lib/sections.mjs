import { bundle } from './bundle.mjs';
import { compressedBytes, modulesIn, withWorkerBundle } from '../../scripts/lib/worker-bundle.mjs';
import { coldStarts } from './cold.mjs';
import { ask, load, median, spread } from './load.mjs';
import { machineNow } from './machine.mjs';
import { countOperations, interleave, timeOnce } from './measure.mjs';
import { postForm, startApp } from './pages.mjs';
import { plot } from './plot.mjs';
import { profile } from './profile.mjs';
import { number, operations, percent, ratio, table } from './report.mjs';
import {
  CONFIRM_WRITE_LIST_PUT,
  END_OTHERS,
  LISTINGS,
  RENEWAL,
  REQUESTS,
  SIGN_INS,
  WRITE,
} from './subjects.mjs';
import { isMet, targetRow } from './targets.mjs';
import { startWorker } from './worker.mjs';

/** @typedef {import('./load.mjs').Slot} Slot */
/** @typedef {import('./measure.mjs').Bench} Bench */

const FULL = {
  requests: { rounds: 9, seconds: 1, connections: 8 },
  signIns: { rounds: 5, seconds: 1.5, connections: 1 },
  listings: { rounds: 7, seconds: 0.5, connections: 1 },
  pages: { rounds: 7, seconds: 1, connections: 8 },
  coldStarts: 15,
};
const QUICK = {
  requests: { rounds: 3, seconds: 0.5, connections: 8 },
  signIns: { rounds: 3, seconds: 0.5, connections: 1 },
  listings: { rounds: 3, seconds: 0.3, connections: 1 },
  pages: { rounds: 3, seconds: 0.5, connections: 8 },
  coldStarts: 5,
};

/** A machine with nothing else to do stays below it. */
const QUIET = 0.05;

/**
 * @param {{ quick: boolean, appTables: string, peerTables: string, before: ReturnType<typeof machineNow> }} options `before`: the machine, before anything was built
 * @returns {Promise<{ text: string, plot: string, missed: number, all: number }>}
 */
export async function measure({ quick, appTables, peerTables, before }) {
  const how = quick ? QUICK : FULL;
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
  const [kv, d1, both] = ['floors/kv', 'floors/d1', 'floors/both'];
  const floorOf = { KV: kv, D1: d1, 'KV ∥ D1': both, 'KV, D1': both };
  const requestRows = [];
  for (const subject of REQUESTS) {
    const { id, title, stores } = subject;
    const slots = requests[id] ?? [];
    const floor = floorOf[/** @type {keyof typeof floorOf} */ (stores)];
    const toFloor =
      floor && floor !== id ? number(ratio(slots, requests[floor] ?? [], 'perSecond').value, 2) : '';
    const { all } = await countOperations(bench, subject);
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
      number(ratio(slots, scrypt, 'cpu').value, 2),
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
  const endFloors = [WRITE, CONFIRM_WRITE_LIST_PUT];
  const ended = await timeOnce(bench, END_OTHERS, endFloors);
  const timeToWrite = (/** @type {number[]} */ times) => median(times) / median(ended.floorTimes[0] ?? []);
  const lastSession = (bench.ours?.seeded[END_OTHERS.path]?.length ?? 0) - 1;
  const endCounts = await countOperations(bench, END_OTHERS, lastSession);
  const renewal = await countOperations(bench, RENEWAL, 0);
  say(
    table(
      ['', 'ms', '±', 'operations before the answer', 'in all', 'KV deletes at once'],
      [
        ...(await Promise.all(
          endFloors.map(async (floor, i) => {
            const times = ended.floorTimes[i] ?? [];
            const { all } = await countOperations(bench, floor);
            return [
              floor.title,
              number(median(times), 1),
              percent(spread(times)),
              operations(all),
              operations(all),
              '',
            ];
          }),
        )),
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

  say('## Whole pages\n\nOf the built app, as it is uploaded.');
  const { worker: app, cookie, sourceMap } = await startApp(appTables, { inspectorPort: 0 });
  const signedIn = { host: app.url.host, cookie };
  const signedOut = { host: app.url.host };
  const pages = {
    '/ signed out': { wanted: { path: '/', headers: signedOut }, status: 200 },
    '/ signed in': { wanted: { path: '/', headers: signedIn }, status: 200 },
    '/sessions signed out (a redirect)': { wanted: { path: '/sessions', headers: signedOut }, status: 303 },
    '/sessions signed in': { wanted: { path: '/sessions', headers: signedIn }, status: 200 },
  };
  /** @type {Record<string, Slot[]>} */
  const pageSlots = Object.fromEntries(Object.keys(pages).map((name) => [name, []]));
  for (let round = 0; round <= how.pages.rounds; round += 1) {
    for (const [name, { wanted, status }] of Object.entries(pages)) {
      const slot = await load(app, wanted, { ...how.pages, status });
      if (round > 0) pageSlots[name]?.push(slot);
    }
  }
  const pageRows = [];
  for (const [name, { wanted }] of Object.entries(pages)) {
    const { headers } = await ask(app.url, wanted);
    pageRows.push([name, ...rates(pageSlots[name] ?? []), operationsOf(String(headers['server-timing']))]);
  }
  say(table(['', 'req/s', '±', 'p50 ms', 'CPU ms', 'operations'], pageRows));

  say("Where the CPU time of the app's own isolate goes when signed in, by a profile:");
  const profileOf = (/** @type {string} */ path) =>
    profile(app, { path, headers: signedIn }, { connections: 8, seconds: how.pages.seconds * 2, sourceMap });
  const [home, sessions] = [new Map(await profileOf('/')), new Map(await profileOf('/sessions'))];
  const all = [...new Set([...home.keys(), ...sessions.keys()])];
  say(
    table(
      ['', '/', '/sessions'],
      all.map((part) => [part, percent(home.get(part) ?? 0), percent(sessions.get(part) ?? 0)]),
    ),
  );

  say('## Weight and cold start');
  const weight = await compressedBytes(await withWorkerBundle(modulesIn));
  const cold = await coldStarts(how.coldStarts);
  const [first, ...later] = await firstSignIns(appTables);
  say(
    table(
      ['', '', '±'],
      [
        ['worker, compressed, kB', number(weight / 1_000), ''],
        ['start to first answer of / signed in, ms', number(median(cold.app)), percent(spread(cold.app))],
        ['the same without Prisma in it, ms', number(median(cold.bare)), percent(spread(cold.bare))],
        ['first sign-in of an isolate, above later ones, ms', number((first ?? NaN) - median(later)), ''],
      ],
    ),
  );

  const rateTo = (/** @type {string} */ id, /** @type {string} */ other) =>
    ratio(requests[id] ?? [], requests[other] ?? [], 'perSecond');
  const timeTo = (/** @type {string} */ id, /** @type {string} */ other) =>
    ratio(listings[id] ?? [], listings[other] ?? [], 'milliseconds');
  const cpuOf = (/** @type {Slot[] | undefined} */ slots) => median((slots ?? []).map(({ cpu }) => cpu));
  const floorCpu = cpuOf(requests[kv]) - cpuOf(requests['floors/empty']);
  const homeCpu = cpuOf(pageSlots['/ signed in']) - cpuOf(pageSlots['/ signed out']);
  /** @type {import('./targets.mjs').Target[]} */
  const targets = [
    {
      what: 'peek to one KV get, req/s',
      ...rateTo('ours/peek', kv),
      atLeast: 0.9,
      why: 'Lucia and the guards made for each request, the SHA-256 of the token',
    },
    {
      what: 'require to both at once, req/s',
      ...rateTo('ours/require', both),
      atLeast: 0.85,
      why: 'as for a peek',
    },
    {
      what: 'peek to better-auth on KV, req/s',
      ...rateTo('ours/peek', 'better-auth/kv'),
      atLeast: 1.8,
      why: `one KV get with nothing around it is ${number(rateTo(kv, 'better-auth/kv').value, 2)}`,
    },
    {
      what: 'require to better-auth on D1 with joins, req/s',
      ...rateTo('ours/require', 'better-auth/d1'),
      atLeast: 1.8,
      why: `it asks D1 alone; one KV get and one D1 query at once, with nothing around them, are ${number(rateTo(both, 'better-auth/d1').value, 2)}`,
    },
    {
      what: 'sign-in to scrypt alone, CPU',
      ...ratio(signIns['ours/sign-in'] ?? [], scrypt, 'cpu'),
      atMost: 1.15,
      why: 'a Prisma client for each sign-in, three round trips to D1 and a KV put',
    },
    { what: 'renewal: KV gets', value: renewal.all['KV get'] ?? NaN, atMost: 1, digits: 0 },
    { what: 'renewal: KV puts', value: renewal.all['KV put'] ?? NaN, atMost: 1, digits: 0 },
    {
      what: 'listing 100 sessions to one list, time',
      ...timeTo('ours/list-100', 'floors/list-100'),
      atMost: 1.3,
      why: `the ledger is asked beside the list, on the same thread here: one list and one D1 query at once, with nothing around them, are ${number(timeTo('floors/list-100-and-query', 'floors/list-100').value, 2)}`,
    },
    {
      what: 'listing 1,000 sessions to one list, time',
      ...timeTo('ours/list-1000', 'floors/list-1000'),
      atMost: 2,
      why: 'as for 100',
    },
    {
      what: 'ending 999 others to one D1 write, time',
      value: timeToWrite(ended.times),
      atMost: 1,
      why: `before the write the request is confirmed; beside it the others are listed, to say how many they were, and the new session is put: with nothing around them, all on one thread here, ${number(timeToWrite(ended.floorTimes[1] ?? []), 2)}`,
    },
    {
      what: 'ending 999 others: KV deletes at once',
      // Theirs, and that of the session which goes on under a new token.
      value: endCounts.all['KV delete'] === 1_000 ? endCounts.deletesAtOnce : NaN,
      atMost: 6,
      digits: 0,
    },
    {
      what: '/ signed in to / signed out, req/s',
      ...ratio(pageSlots['/ signed in'] ?? [], pageSlots['/ signed out'] ?? [], 'perSecond'),
      atLeast: 0.85,
      why: `being signed in costs ${number(homeCpu, 2)} ms of CPU, one KV get alone ${number(floorCpu, 2)}`,
    },
    { what: 'worker, compressed, MB', value: weight / 1_000_000, atMost: 1 },
    {
      what: 'cold start to that without Prisma, time',
      value: median(cold.app) / median(cold.bare),
      atMost: 1.8,
      why: 'workerd compiles the wasm of the query compiler when it starts',
    },
  ];
  say('## Targets');
  say(table(['', 'target', 'value', '', 'why'], targets.map(targetRow)));

  const after = machineNow();
  const noise = Math.max(
    ...[kv, d1, both].map((id) => spread((requests[id] ?? []).map(({ perSecond }) => perSecond))),
  );
  const stolen = (after.stolen - before.stolen) / (after.all - before.all);
  say(
    `Measured on ${before.cores} cores of ${before.model}, Node ${process.version}; load ${number(before.load, 2)} before it began. ` +
      `The floors varied by up to ${percent(noise)} between rounds; the machine's host took ${percent(stolen)} of its time.` +
      (noise > QUIET ? ' That is much: read no difference of a few percent out of this run.' : ''),
  );
  for (const { worker } of Object.values(bench)) await worker.miniflare.dispose();
  await app.miniflare.dispose();
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

/**
 * How long sign-ins take in a new isolate that has shown a page: the first sets up Prisma.
 * @param {string} sql
 * @returns {Promise<number[]>} milliseconds
 */
async function firstSignIns(sql) {
  const { worker } = await startApp(sql);
  const times = [];
  for (let time = 0; time < 6; time += 1) {
    const startedAt = performance.now();
    await postForm(worker, '/login');
    times.push(performance.now() - startedAt);
  }
  await worker.miniflare.dispose();
  return times;
}

/** The counts in a `Server-Timing` header, without those that are 0. @param {string} header */
function operationsOf(header) {
  const counts = [...header.matchAll(/([\w-]+);desc="([1-9]\d*)"/g)].map(
    ([, name, count]) => `${count} ${name}`,
  );
  return counts.join(', ') || 'none';
}
