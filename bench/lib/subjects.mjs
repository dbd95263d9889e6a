import { number } from './numbers.mjs';

/**
 * What is measured, section by section, and what it has to reach. To measure something else, add a row.
 * @typedef {object} Subject
 * @property {string} id worker and path
 * @property {string} worker a file of bench/workers, or `app`, the built one
 * @property {string} path
 * @property {string} title
 * @property {string} [answer] the JSON that each answer has to be, so that nobody is measured signed out
 * @property {number} [status] 200 without it
 * @property {string} [floor] the id of the subject that does only its store operations
 * @property {boolean} [guest] without its session's cookie
 * @property {boolean} [once] each request uses up a session, which `<path>/seed` makes before it
 * @property {boolean} [keepsCookies] asks once before it is measured, and goes on with the cookies of that answer
 *
 * @typedef {object} Section
 * @property {string} title
 * @property {string} note
 * @property {'perSecond' | 'cpu' | 'milliseconds'} by what is compared with the floors
 * @property {number} warmUp seconds that each subject is asked, unmeasured, in each start of the workers
 * @property {number} rounds in each start of the workers
 * @property {number} seconds that each subject is measured in each round
 * @property {number} connections
 * @property {Subject[]} subjects
 */

const ALICE = { username: 'alice' };

/**
 * @param {string} id
 * @param {string} title
 * @param {object} [answer]
 * @param {Partial<Subject>} [more]
 * @returns {Subject}
 */
function subject(id, title, answer = ALICE, more = {}) {
  const [worker = ''] = id.split('/', 1);
  return { id, worker, path: id.slice(worker.length), title, answer: JSON.stringify(answer), ...more };
}

/**
 * @param {string} path
 * @param {Partial<Subject>} [more]
 * @returns {Subject}
 */
function page(path, more = {}) {
  const title = `${path} signed ${more.guest ? 'out' : more.keepsCookies ? 'in, confirmed a moment ago' : 'in'}`;
  return { id: `app ${title}`, worker: 'app', path, title, ...more };
}

const [NO_STORE, KV, D1, BOTH] = ['floors/empty', 'floors/kv', 'floors/d1', 'floors/both'];
const [SESSIONS, SESSIONS_FLOOR] = ['app /sessions signed in', 'floors/confirm-and-list'];
const [LIST_100, LIST_1000] = [{ length: 100 }, { length: 1_000 }];

/** @type {Section[]} */
export const SECTIONS = [
  // First, because better-auth's cookie cache is made with the stores and lives for five minutes.
  {
    title: 'An authenticated request that asks no store',
    note: 'It answers with the name of who is signed in.',
    by: 'perSecond',
    warmUp: 2,
    rounds: 14,
    seconds: 0.4,
    connections: 8,
    subjects: [
      subject(NO_STORE, 'floor: no store'),
      subject('ours/peek-fresh', 'peek, confirmed a moment ago', ALICE, {
        floor: NO_STORE,
        keepsCookies: true,
      }),
      subject('better-auth/cache', 'better-auth, signed cookie cache', ALICE, { floor: NO_STORE }),
    ],
  },
  {
    title: 'An authenticated request that asks the stores',
    note: 'It answers with the same.',
    by: 'perSecond',
    warmUp: 3,
    rounds: 12,
    seconds: 0.4,
    connections: 8,
    subjects: [
      subject(KV, 'floor: one KV get'),
      subject(D1, 'floor: one D1 query'),
      subject(BOTH, 'floor: one KV get and one D1 query at once'),
      subject('ours/peek', 'peek', ALICE, { floor: BOTH }),
      subject('ours/require', 'require', ALICE, { floor: BOTH }),
      subject('ours/look', 'the look of an open tab', ALICE, { floor: BOTH }),
      subject('better-auth/kv', 'better-auth, KV as secondary storage', ALICE, { floor: KV }),
      subject('better-auth/d1', 'better-auth, D1 with joins', ALICE, { floor: D1 }),
      subject('lucia/unstorage', 'Lucia, unstorage adapter on KV, users in D1', ALICE, { floor: BOTH }),
      subject('lucia/d1', 'Lucia, its D1 adapter', ALICE, { floor: D1 }),
      subject('lucia/prisma', 'Lucia, its Prisma adapter on D1', ALICE, { floor: D1 }),
    ],
  },
  {
    title: 'Sign-in',
    note: 'Of an account whose password is right; one connection. Compared by CPU.',
    by: 'cpu',
    // All from one browser, whose quota of sign-ins an hour has to last for all turns of a start.
    warmUp: 0.8,
    rounds: 3,
    seconds: 0.8,
    connections: 1,
    subjects: [
      subject('floors/scrypt', 'floor: scrypt alone'),
      subject('ours/sign-in', 'sign-in', ALICE, { floor: 'floors/scrypt' }),
      subject('better-auth/sign-in-kv', 'better-auth, KV as secondary storage', ALICE, {
        floor: 'floors/scrypt',
      }),
      subject('better-auth/sign-in-d1', 'better-auth, D1', ALICE, { floor: 'floors/scrypt' }),
    ],
  },
  {
    title: 'Listing',
    note: 'One connection. Compared by time.',
    by: 'milliseconds',
    warmUp: 0.5,
    rounds: 3,
    seconds: 0.5,
    connections: 1,
    subjects: [
      subject('floors/list-100', 'floor: one KV list of 100 keys', LIST_100),
      subject('floors/list-100-and-query', 'floor: the same and one D1 query at once', LIST_100),
      subject('ours/list-100', 'the list of 100 sessions', LIST_100, {
        floor: 'floors/list-100-and-query',
      }),
      subject('floors/list-1000', 'floor: one KV list of 1,000 keys', LIST_1000),
      subject('floors/list-1000-and-query', 'floor: the same and one D1 query at once', LIST_1000),
      subject('ours/list-1000', 'the list of 1,000 sessions', LIST_1000, {
        floor: 'floors/list-1000-and-query',
      }),
      subject('ours/require-and-list-1000', 'require, then the list of 1,000 sessions', LIST_1000, {
        floor: 'floors/list-1000-and-query',
      }),
    ],
  },
  {
    title: 'Ending 999 other sessions, and a renewal',
    note: 'One connection. Compared by time.',
    by: 'milliseconds',
    warmUp: 0.2,
    rounds: 4,
    seconds: 0.2,
    connections: 1,
    subjects: [
      subject('floors/write', 'floor: one D1 write'),
      subject(
        'floors/confirm-write-list-put',
        'floor: one KV get and one D1 query at once; then one D1 write, one KV list of 1,000 keys and one KV put at once',
        { ended: 1_000 },
      ),
      subject(
        'ours/end-999-others',
        'require, then ending the others of 1,000 sessions',
        { ended: 999 },
        { floor: 'floors/confirm-write-list-put', once: true },
      ),
      subject('ours/renew', 'a renewal', { ...ALICE, fresh: true }, { once: true }),
    ],
  },
  {
    title: 'Whole pages',
    note: 'Of the built app, as it is uploaded.',
    by: 'perSecond',
    warmUp: 2,
    rounds: 12,
    seconds: 0.4,
    connections: 8,
    subjects: [
      page('/', { guest: true }),
      page('/', { keepsCookies: true, floor: 'app / signed out' }),
      page('/', { floor: 'app / signed out' }),
      page('/sessions', { guest: true, status: 303 }),
      subject(SESSIONS_FLOOR, 'floor: the store operations of /sessions', { length: 1 }),
      page('/sessions', { floor: SESSIONS_FLOOR }),
    ],
  },
];

/** @param {string} id */
export function subjectOf(id) {
  const found = SECTIONS.flatMap(({ subjects }) => subjects).find((one) => one.id === id);
  if (!found) throw new Error(`[bench] no subject is called ${id}`);
  return found;
}

/**
 * `floor`: what the least that does the same reaches, so that nobody aims above it. `why` says what
 * keeps a missed one from being met.
 * @typedef {import('./results.mjs').Results} Results
 * @typedef {{ what: string, atLeast?: number, atMost?: number, digits?: number, value: (r: Results) => { value: number, doubt?: number }, floor?: (r: Results) => string, why?: string }} Target
 * @type {Target[]}
 */
export const TARGETS = [
  {
    what: 'peek, fresh, to better-auth’s signed cookie cache, req/s',
    atLeast: 2,
    value: (r) => r.ratio('ours/peek-fresh', 'better-auth/cache'),
    floor: (r) => r.words(NO_STORE, 'better-auth/cache'),
    why: 'the facts of the request, one HMAC',
  },
  {
    what: 'peek, fresh, to a worker that does nothing, req/s',
    atLeast: 0.5,
    value: (r) => r.ratio('ours/peek-fresh', NO_STORE),
    floor: () => '1.00',
    why: 'as above',
  },
  {
    what: 'peek, not fresh, to one KV get and one D1 query at once, req/s',
    atLeast: 0.85,
    value: (r) => r.ratio('ours/peek', BOTH),
    floor: () => '1.00',
    why: 'Lucia and the guards made for each request, the query’s moves and bindings, a new confirmation',
  },
  {
    what: 'require to the same, req/s',
    atLeast: 0.85,
    value: (r) => r.ratio('ours/require', BOTH),
    floor: () => '1.00',
    why: 'as for a peek',
  },
  {
    what: '/ signed in and fresh to / signed out, req/s',
    atLeast: 0.9,
    value: (r) => r.ratio('app / signed in, confirmed a moment ago', 'app / signed out'),
    floor: () => '1.00',
    why: 'what a fresh peek costs, the name and the account’s navigation',
  },
  {
    what: '/sessions to the floor of its store operations, CPU',
    atMost: 2,
    value: (r) => r.cpuRatio(SESSIONS, SESSIONS_FLOOR),
    floor: (r) =>
      `${number(1 + r.cpuRatio('app / signed out', SESSIONS_FLOOR).value, 2)} with / signed out on top`,
    why: 'SvelteKit and Svelte make a page of 14 kB of it',
  },
  {
    what: 'sign-in to scrypt alone, CPU',
    atMost: 1.2,
    value: (r) => r.ratio('ours/sign-in', 'floors/scrypt'),
    floor: () => '1.00',
    why: 'a query through Prisma, two batches of D1 and a KV put',
  },
  { what: 'renewal: KV gets', atMost: 1, digits: 0, value: (r) => r.operations('ours/renew', 'KV get') },
  { what: 'renewal: KV puts', atMost: 1, digits: 0, value: (r) => r.operations('ours/renew', 'KV put') },
  {
    what: 'listing 100 sessions to one list and one query at once, time',
    atMost: 1.3,
    value: (r) => r.ratio('ours/list-100', 'floors/list-100-and-query'),
    floor: () => '1.00',
    why: 'each record is read and judged',
  },
  {
    what: 'listing 1,000 sessions to the same, time',
    atMost: 2,
    value: (r) => r.ratio('ours/list-1000', 'floors/list-1000-and-query'),
    floor: () => '1.00',
    why: 'as for 100',
  },
  {
    what: 'ending 999 others to its store operations, time',
    atMost: 1.5,
    value: (r) => r.ratio('ours/end-999-others', 'floors/confirm-write-list-put'),
    floor: () => '1.00',
    why: 'the batch has a throttle row, an event and the binding in it, too',
  },
  {
    what: 'ending 999 others: KV deletes at once',
    atMost: 6,
    digits: 0,
    value: (r) => r.operations('ours/end-999-others', 'deletesAtOnce'),
  },
  { what: 'worker, compressed, MB', atMost: 1.05, value: (r) => ({ value: r.megabytes }) },
  {
    what: 'cold start to that without Prisma, time',
    atMost: 1.4,
    value: (r) => r.coldStart,
    floor: () => '1.00',
    why: 'workerd compiles the wasm of the query compiler when it starts',
  },
];

/** Targets that no design can reach, and why they are no more. */
export const RETIRED = [
  'peek and require at 1.8 times better-auth: KV’s or D1’s own answer, with nothing around it, is less than that',
  'ending 999 others in the time of one D1 write: the request has to be confirmed before, and the new session be put',
  'listing 100 sessions in 1.3 times one KV list: the ledger is asked at the same time, which alone is 1.4 on one thread',
  '/sessions at half of the CPU that it took above its stores on 26 November 2026: SvelteKit, which makes the same page of constants, takes 0.45 of that, and `require` and the list without a page take 0.30. The page takes 0.94',
];
