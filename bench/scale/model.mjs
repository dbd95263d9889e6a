/** What a month costs, and which limit binds: from the published operation counts, the rows that D1 counted, and the price table. */
import { dollarsPerMillion } from '../../src/lib/cost.ts';
import { add, COSTS, EXTRA, PAGES } from '../../tests/simulation/costs.ts';

/** What one user does in a month: an assumption, to be replaced by one's own. `visits` are each more than an hour apart. */
export const USAGE = {
  visits: 20,
  pageViewsPerVisit: 8,
  accountPagesPerVisit: 1,
  /** In which a page is in view, so with as many looks: each leaves a confirmation, and so the page views after it ask nobody. */
  minutesPerVisit: 5,
  sessionsPages: 2,
  signIns: 1,
  signInsRefused: 0.2,
  signOuts: 0.5,
  revokes: 0.1,
  revokesOfOthers: 0.05,
  passwordChanges: 0.02,
  signUps: 0.05,
};
export const SESSIONS_PER_USER = 2;
/** Events and ended sessions are kept for 90 days. */
const MONTHS_KEPT = 3;

/** Of the paid plan, a month (developers.cloudflare.com/kv/platform/pricing, /d1/platform/pricing). KV's prices past it: src/lib/cost.ts. */
const INCLUDED = {
  kvReads: 10e6,
  kvWrites: 1e6,
  kvDeletes: 1e6,
  kvLists: 1e6,
  rowsRead: 25e9,
  rowsWritten: 50e6,
};
const INCLUDED_GB = { kv: 1, d1: 5 };
const DOLLARS_PER_GB = { kv: 0.5, d1: 0.75 };
const ROWS_DOLLARS_PER_MILLION = { rowsRead: 0.001, rowsWritten: 1 };

/** Of the free plan, a day. */
const FREE_PER_DAY = {
  kvReads: 100e3,
  kvWrites: 1e3,
  kvDeletes: 1e3,
  kvLists: 1e3,
  rowsRead: 5e6,
  rowsWritten: 100e3,
};
const FREE_D1_GB = 0.5;
export const D1_MAX_GB = 10;
const DAYS = 30;
const SECONDS = DAYS * 24 * 60 * 60;
/** The busiest hour against the average. */
export const PEAK = 3;
/** A D1 database takes one query at a time; of a millisecond each, that is so many a second (d1/platform/limits). */
export const D1_QUERIES_PER_SECOND = 1_000;

/** @typedef {Record<string, { read: number, written: number }>} Rows by operation */
/** @typedef {{ kvReads: number, kvWrites: number, kvDeletes: number, kvLists: number, rowsRead: number, rowsWritten: number, d1Queries: number }} Month */
/** @typedef {{ sessionBytes: number, userBytes: number, eventBytes: number, endedBytes: number }} Sizes of one in KV, and of one each in D1 with its indexes */

/**
 * The operations of one user in a month, with how often each is made.
 * @returns {[name: keyof typeof COSTS | keyof typeof EXTRA | keyof typeof PAGES, times: number][]}
 */
function operations() {
  const u = USAGE;
  return [
    ['page view (peek)', u.visits * (u.pageViewsPerVisit - 1)],
    ['account page (require)', u.visits * u.accountPagesPerVisit],
    // The first request of a visit renews; it is a page view.
    ['a renewal that was due', u.visits],
    ['the page view that asks', u.visits],
    ['GET /api/session', u.visits * u.minutesPerVisit],
    ['sessions page', u.sessionsPages],
    ['sign-in', u.signIns],
    ['sign-in refused', u.signInsRefused],
    ['sign-out', u.signOuts],
    ['revoke one', u.revokes],
    ['revoke others', u.revokesOfOthers],
    ['each other session that ends', u.revokesOfOthers * (SESSIONS_PER_USER - 1)],
    ['change password', u.passwordChanges],
    ['sign-up', u.signUps],
  ];
}

/**
 * @param {Rows} rows
 * @returns {Month} of one user
 */
export function month(rows) {
  const times = operations();
  const all = { ...COSTS, ...EXTRA, ...PAGES };
  const sum = add(...times.map(([name, n]) => scaled(all[name], n)));
  const rowsOf = (/** @type {'read' | 'written'} */ kind) =>
    times.reduce((total, [name, n]) => total + n * (measured(rows, name)?.[kind] ?? 0), 0);
  return {
    kvReads: sum.get,
    kvWrites: sum.put,
    kvDeletes: sum.delete,
    kvLists: sum.list,
    rowsRead: rowsOf('read'),
    rowsWritten: rowsOf('written'),
    d1Queries: sum.queries,
  };
}

/**
 * @param {Rows} rows
 * @param {string} name
 */
function measured(rows, name) {
  // It adds the account page's question once more. What was measured includes the first one.
  if (name === 'a renewal that was due') return rows['account page (require)'];
  return rows[name];
}

/**
 * @template {Record<string, number>} T
 * @param {T} cost
 * @param {number} factor
 * @returns {T}
 */
function scaled(cost, factor) {
  return /** @type {T} */ (Object.fromEntries(Object.entries(cost).map(([kind, n]) => [kind, n * factor])));
}

/**
 * @param {number} users
 * @param {Month} each
 * @param {Sizes} sizes
 */
export function costOf(users, each, sizes) {
  const past = (/** @type {keyof typeof INCLUDED} */ kind) =>
    Math.max(0, users * each[kind] - INCLUDED[kind]) / 1e6;
  const kv = dollarsPerMillion({
    kvReads: past('kvReads'),
    kvWrites: past('kvWrites'),
    kvDeletes: past('kvDeletes'),
    kvLists: past('kvLists'),
    d1Queries: 0,
  });
  const d1 =
    past('rowsRead') * ROWS_DOLLARS_PER_MILLION.rowsRead +
    past('rowsWritten') * ROWS_DOLLARS_PER_MILLION.rowsWritten;
  const { kvGb, d1Gb } = storageOf(users, sizes);
  const storage =
    Math.max(0, kvGb - INCLUDED_GB.kv) * DOLLARS_PER_GB.kv +
    Math.max(0, d1Gb - INCLUDED_GB.d1) * DOLLARS_PER_GB.d1;
  return { kv, d1, storage, total: kv + d1 + storage, kvGb, d1Gb, peakQueries: peakQueries(users, each) };
}

/**
 * @param {number} users
 * @param {Sizes} sizes
 */
function storageOf(users, { sessionBytes, userBytes, eventBytes, endedBytes }) {
  const { signUps, signIns, signInsRefused, signOuts, revokes, revokesOfOthers, passwordChanges } = USAGE;
  // Of all others, and of a new password, the ledger notes one: the session that goes on under another token.
  const ended = signOuts + revokes + revokesOfOthers + passwordChanges;
  const events = signUps + signIns + signInsRefused + ended;
  return {
    kvGb: (users * SESSIONS_PER_USER * sessionBytes) / 1e9,
    d1Gb: (users * (userBytes + MONTHS_KEPT * (events * eventBytes + ended * endedBytes))) / 1e9,
  };
}

/**
 * D1 queries a second in the busiest hour.
 * @param {number} users
 * @param {Month} each
 */
function peakQueries(users, { d1Queries }) {
  return (users * d1Queries * PEAK) / SECONDS;
}

/**
 * How many users a limit leaves room for.
 * @param {Month} each
 * @param {Sizes} sizes
 */
export function limits(each, sizes) {
  const { d1Gb } = storageOf(1, sizes);
  const free = Object.entries(FREE_PER_DAY).map(([kind, perDay]) => ({
    kind,
    perDay,
    users: (perDay * DAYS) / each[/** @type {keyof Month} */ (kind)],
  }));
  return {
    free: free.toSorted((a, b) => a.users - b.users),
    freeD1Users: FREE_D1_GB / d1Gb,
    d1Users: D1_MAX_GB / d1Gb,
    queryUsers: D1_QUERIES_PER_SECOND / peakQueries(1, each),
  };
}
