/** docs/scale.md and its plot, from the results that are there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import prettier from 'prettier';
import { BARE_LIST } from './full.mjs';
import { dollarsPerMillion } from '../../src/lib/cost.ts';
import { ROOT } from '../../scripts/lib/processes.mjs';
import {
  costOf,
  D1_MAX_GB,
  D1_QUERIES_PER_SECOND,
  limits,
  month,
  PEAK,
  SESSIONS_PER_USER,
  USAGE,
} from './model.mjs';
import { drawVisibility } from './plot.mjs';
import { memoryGrowth } from './soak.mjs';

const PAGE = 'docs/scale.md';
const PLOT = 'docs/images/scale-visibility.svg';
const POPULATIONS = [10_000, 1_000_000, 100_000_000];

/** The aims: full against empty; memory late against early. */
const RATIO_MAX = 1.2;
const GROWTH_MAX = 1.1;

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const number = (/** @type {number} */ value) => NUMBER.format(value);
const dollars = (/** @type {number} */ value) => `$${NUMBER.format(Math.round(value))}`;
const SIGNIFICANT = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const significant = (/** @type {number} */ value) => SIGNIFICANT.format(value);

/**
 * Writes both. Gives the targets that were missed, as sentences.
 * @param {(name: string) => Promise<any>} read a part's result, `null` when it never ran
 */
export async function writePage(read) {
  const { page, plot, missed } = await render(read);
  await writeFile(join(ROOT, PAGE), page);
  if (plot) await writeFile(join(ROOT, PLOT), plot);
  return { missed };
}

/**
 * The page and its plot as they have to be.
 * @param {(name: string) => Promise<any>} read
 */
export async function render(read) {
  const [rows, visibility, latency, full, soak] = await Promise.all(
    ['rows', 'visibility', 'latency', 'full', 'soak'].map(read),
  );
  /** @type {string[]} */
  const missed = [];
  const parts = [
    head(),
    rows && full && costs(rows.figures, full.figures.sizes),
    visibility && visible(visibility, missed),
    latency && waits(latency, missed),
    full && flat(full, missed),
    soak && lasting(soak, missed),
  ];
  const plot = visibility && drawVisibility(visibility.figures.seconds, visibility.figures.curves);
  return {
    page: `${parts.filter(Boolean).join('\n\n')}\n`,
    plot: plot && (await prettier.format(plot, { parser: 'html', printWidth: 160 })),
    missed,
  };
}

function head() {
  return `# Scale

What it costs with many users, what gives way first, and what does not change. Made by \`npm run bench:scale\` (some minutes) and
\`npm run bench:soak\` (ten), from the figures in [\`bench/scale/results\`](../bench/scale/results); do not edit it by hand.`;
}

/** @param {{ at: string, machine: string }} result */
const when = ({ at, machine }) => `Measured ${at}, ${machine}.`;

/**
 * @param {import('./model.mjs').Rows} rows
 * @param {import('./model.mjs').Sizes} sizes
 */
function costs(rows, sizes) {
  const each = month(rows);
  const u = USAGE;
  const table = POPULATIONS.map((users) => {
    const cost = costOf(users, each, sizes);
    return [
      number(users),
      dollars(cost.kv),
      dollars(cost.d1),
      dollars(cost.storage),
      `**${dollars(cost.total)}**`,
      `${significant(cost.kvGb)} GB`,
      `${significant(cost.d1Gb)} GB`,
      significant(cost.peakQueries),
    ];
  });
  const { free, freeD1Users, d1Users, queryUsers } = limits(each, sizes);
  const rowsTable = Object.entries(rows).map(([name, { read, written }]) => [
    name,
    number(read),
    number(written),
  ]);
  return `## Cost a month

KV and D1 only, past what the paid plan includes; Workers requests and CPU (about 65 ms a sign-in) come on top, as for any app. One user's month, an
assumption (\`USAGE\` in [\`model.mjs\`](../bench/scale/model.mjs), to be replaced by your own): ${u.visits} visits more than an hour apart, each of
${u.pageViewsPerVisit} page views and ${u.accountPagesPerVisit} account page in ${u.minutesPerVisit} minutes, and so with as many looks of the open page and one renewal; ${u.sessionsPages} looks at the sessions page, ${u.signIns} sign-in, ${u.signInsRefused} refused, ${u.signOuts} sign-outs,
${u.revokes} sessions ended and ${u.revokesOfOthers} times all others, ${u.passwordChanges} password changes, ${u.signUps} sign-ups; ${SESSIONS_PER_USER} sessions at a time.

That is ${number(each.kvReads)} KV reads, ${number(each.kvWrites)} writes, ${number(each.kvDeletes)} deletes, ${number(each.kvLists)} lists, and ${number(each.d1Queries)} D1 queries with ${number(each.rowsRead)} rows read and ${number(each.rowsWritten)} written: by the
[operation counts](consistency.md#what-it-costs) that the tests hold the app to, the rows below, and the [prices of KV](https://developers.cloudflare.com/kv/platform/pricing/)
and [of D1](https://developers.cloudflare.com/d1/platform/pricing/).

${tableOf(['users', 'KV', 'D1', 'storage', 'all', 'KV holds', 'D1 holds', 'D1 queries a second, busiest hour'], table)}

A user takes ${number(sizes.userBytes)} bytes in D1, an event ${number(sizes.eventBytes)} and an ended session ${number(sizes.endedBytes)}, both for 90 days; a session ${number(sizes.sessionBytes)} in KV.

KV's writes are ${percent(shareOfWrites(each))} of what KV's operations cost, and nearly all of them are renewals. An \`ACTIVE_PERIOD_MILLISECONDS\` of a day makes that one a day at most; then "last active" is
right to the day.

D1 bills rows. As the local D1 counts them, with an address and a device cookie; a renewal includes the confirmation of its request:

${tableOf(['operation', 'rows read', 'rows written'], rowsTable)}

## Which limit binds first, and what then

| limit | room for | what then |
|---|---|---|
${free
  .map(
    ({ kind, perDay, users }) =>
      `| free plan: ${number(perDay)} ${KINDS[kind] ?? kind} a day | ${significant(users)} such users | the paid plan, which has no daily limit |`,
  )
  .join('\n')}
| free plan: 10 ms of CPU a request | no sign-in at all: its hash takes about 65 ms | the paid plan; a quicker hash is one that is quicker to guess |
| free plan: a D1 of 500 MB | ${significant(freeD1Users)} users | the paid plan |
| KV: one write a second and key | any number: each session has a key of its own and is renewed once an hour. In the \`index\` layout it bounds the sign-ins of one user | the \`owner\` layout |
| paid plan: a D1 takes ${number(D1_QUERIES_PER_SECOND)} queries of 1 ms a second, one at a time | ${significant(queryUsers)} users, if the busiest hour is ${PEAK} times the average | shards |
| paid plan: a D1 of ${D1_MAX_GB} GB | ${significant(d1Users)} users | shards |

On the free plan ${KINDS[free[0]?.kind ?? ''] ?? ''} bind first: every sign-in, sign-up and renewal is one, ${number(free[0]?.perDay ?? 0)} of them a day together. On the paid plan D1 binds first, by
${queryUsers < d1Users ? 'its queries a second, then by its size' : 'its size, then by its queries a second'}.

**Shards.** No query here touches two users, and every session id begins with its user's id, so the ledger splits by user: \`DB_0\` … \`DB_n\`, chosen in
[\`createAuth\`](../src/lib/server/sessions/lucia.ts) by a hash of the presented user id. Signing in knows only a name: let the hash of the name choose, where the name is
unique too, and make new user ids end in the shard that it chose. The throttle's rows may live anywhere. At ${number(POPULATIONS.at(-1) ?? 0)} users that is ${number(shardsFor(POPULATIONS.at(-1) ?? 0, d1Users, queryUsers))} databases;
an account may have 50,000, and 1 TB in all unless more is asked for.`;
}

/** @param {import('./model.mjs').Month} each */
function shareOfWrites({ kvReads, kvWrites, kvDeletes, kvLists }) {
  const none = { kvReads: 0, kvWrites: 0, kvDeletes: 0, kvLists: 0, d1Queries: 0 };
  return (
    dollarsPerMillion({ ...none, kvWrites }) /
    dollarsPerMillion({ ...none, kvReads, kvWrites, kvDeletes, kvLists })
  );
}

/** @type {Record<string, string>} */
const KINDS = {
  kvReads: 'KV reads',
  kvWrites: 'KV writes',
  kvDeletes: 'KV deletes',
  kvLists: 'KV lists',
  rowsRead: 'D1 rows read',
  rowsWritten: 'D1 rows written',
};

/**
 * @param {number} users
 * @param {number} bySize
 * @param {number} byQueries
 */
function shardsFor(users, bySize, byQueries) {
  return Math.ceil(users / Math.min(bySize, byQueries));
}

/**
 * @param {any} result
 * @param {string[]} missed
 */
function visible(result, missed) {
  const { seconds, places, sessions, curves } = result.figures;
  const accepted = curves.some(
    (/** @type {any} */ { asks, accepted }) =>
      asks === 'require' && accepted.some((/** @type {number} */ share) => share > 0),
  );
  if (accepted) missed.push('require accepts a session that has ended');
  const lines = curves
    .filter((/** @type {any} */ { asks }) => asks === 'peek')
    .map((/** @type {any} */ { model, accepted }) => {
      const last = accepted.findLastIndex((/** @type {number} */ share) => share > 0);
      return [model, percent(accepted[0]), percent(accepted[6]), `${seconds[last]} s`];
    });
  return `## How long an ended session is still greeted

The app's own \`peekSession\` and \`requireSession\` at ${places} simulated places that had all seen the session within the minute before it ended (${sessions} sessions each, the
[hostile KV](consistency.md#how-it-is-tested) of the tests). The peek of these curves asked KV alone. Today's asks the ledger once a minute, so [no page greets later than 60 seconds after the end](consistency.md#what-a-page-view-may-still-show). What confirms is never late: ${accepted ? '**not so in this run**' : '0 of every place, at every moment'}.

![The share of places that still greet an ended session, by the seconds since it ended: falling to none within the cache's time for a peek, none from the start for require](images/scale-visibility.svg)

${tableOf(['KV', 'greeted at once', 'after 30 s', 'last seen after'], lines)}`;
}

const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`;

/**
 * @param {any} result
 * @param {string[]} missed
 */
function waits(result, missed) {
  const { runs, delays, operations } = result.figures;
  const [kv, d1] = delays.at(-1);
  const lines = operations.map((/** @type {any} */ { name, waits: made, milliseconds }) => {
    const stores = made.reduce(
      (/** @type {number} */ sum, /** @type {string} */ store) => sum + (store === 'KV' ? kv : d1),
      0,
    );
    const taken = milliseconds.at(-1) - milliseconds[0];
    // One wait more, of either store, is more than that.
    if (taken > stores + Math.min(kv, d1) / 2)
      missed.push(`${name} takes ${taken} ms of waiting, not ${stores}`);
    return [name, made.length, ...milliseconds, stores];
  });
  const names = delays.map((/** @type {[number, number]} */ [k, d]) => `KV ${k} ms, D1 ${d} ms`);
  return `## With slow stores

What an answer takes, in milliseconds, with KV and D1 in another process that answers after a delay: the bare worker, one request at a time, medians of ${runs}. The last column is what the
waits alone come to with the slowest stores; the tests [count them](consistency.md#what-it-costs) without a clock. ${when(result)}

${tableOf(['', 'waits', ...names, 'waits alone'], lines)}`;
}

/**
 * @param {any} result
 * @param {string[]} missed
 */
function flat(result, missed) {
  const { users, sessions, ofOneUser, rounds, comparisons } = result.figures;
  const listing = comparisons.find((/** @type {any} */ { name }) => name === BARE_LIST);
  const scan = listing.fullMilliseconds - listing.emptyMilliseconds;
  const lines = comparisons.map((/** @type {any} */ comparison) => {
    const { name, emptyMilliseconds: empty, fullMilliseconds: full, ratio } = comparison;
    if (comparison === listing) return [name, empty, full, ratio, ''];
    const own = name.startsWith('list') ? (full - scan) / empty : ratio;
    if (own > RATIO_MAX)
      missed.push(`${name} takes ${own.toFixed(2)} times as long on a full store, not ${RATIO_MAX} at most`);
    return [name, empty, full, ratio, `${own.toFixed(2)}${own > RATIO_MAX ? ' (missed)' : ''}`];
  });
  return `## A full store beside an empty one

${number(sessions)} sessions in KV, ${number(ofOneUser)} of them one user's, ${number(users)} users with keys in D1, an ended session and an event for every tenth; the empty one has only the users who ask. The built worker on
Miniflare's local stores, asked in turn, medians of ${rounds} in milliseconds; the aim is a ratio of ${RATIO_MAX} at most. Miniflare's own\n\`list\` looks at every key of the namespace, which takes ${scan.toFixed(1)} ms more when it is full, whoever asks: the last column is without that. ${when(result)}

${tableOf(['', 'empty', 'full', 'ratio', "the app's own"], lines)}`;
}

/**
 * @param {any} result
 * @param {string[]} missed
 */
function lasting(result, missed) {
  const { minutes, requests, errors, rssMegabytes } = result.figures;
  const growth = memoryGrowth(result.figures);
  if (errors.length > 0) missed.push(`the soak saw errors: ${errors[0]}`);
  if (!(growth <= GROWTH_MAX)) missed.push(`the soak's memory grew to ${growth.toFixed(2)} times`);
  const all = Object.values(requests).reduce((sum, n) => sum + n, 0);
  const kinds = Object.entries(requests).map(([kind, n]) => `${number(n)} × ${kind}`);
  return `## ${minutes} minutes of mixed load

${number(all)} requests (${kinds.join(', ')}) to the built worker in a bare workerd with a heap of 128 MB: ${errors.length === 0 ? 'no error' : `**${errors.length} errors**`}. Its resident memory, the median of each
minute in MB: ${rssMegabytes.map(number).join(', ')}. The last quarter against the second: ${growth.toFixed(2)} (aim: ${GROWTH_MAX} at most${growth <= GROWTH_MAX ? '' : ': missed'}). ${when(result)}`;
}

/**
 * @param {string[]} head
 * @param {(string | number)[][]} rows
 */
function tableOf(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
