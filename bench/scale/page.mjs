/** Makes docs/scale.md and its plot from the stored results. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import prettier from 'prettier';
import { dollarsPerMillion } from '../../src/lib/cost.ts';
import { CONFIRMATION_SECONDS } from '../../src/lib/server/policy.ts';
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

const PAGE = 'docs/scale.md';
const PLOT = 'docs/images/scale-visibility.svg';
const POPULATIONS = [10_000, 1_000_000, 100_000_000];

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const number = (/** @type {number} */ value) => NUMBER.format(value);
const dollars = (/** @type {number} */ value) => `$${NUMBER.format(Math.round(value))}`;
const SIGNIFICANT = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
const significant = (/** @type {number} */ value) => SIGNIFICANT.format(value);

/**
 * Writes both. Returns the missed targets as sentences.
 * @param {(name: string) => Promise<any>} read a part's result
 */
export async function writePage(read) {
  const { page, plot, missed } = await render(read);
  await writeFile(join(ROOT, PAGE), page);
  await writeFile(join(ROOT, PLOT), plot);
  return { missed };
}

/**
 * Returns the page and its plot.
 * @param {(name: string) => Promise<any>} read
 */
export async function render(read) {
  const [rows, sizes, visibility] = await Promise.all(['rows', 'sizes', 'visibility'].map(read));
  /** @type {string[]} */
  const missed = [];
  const parts = [HEAD, costs(rows.figures, sizes.figures), visible(visibility, missed), MEASURED_ONCE];
  const plot = drawVisibility(visibility.figures.seconds, visibility.figures.curves);
  return {
    page: `${parts.join('\n\n')}\n`,
    plot: await prettier.format(plot, { parser: 'html', printWidth: 160 }),
    missed,
  };
}

const HEAD = `# Scale

What the app costs with many users, which limit it reaches first, and what does not change. \`npm run bench:scale\` (a minute) writes this
page from the figures in [\`bench/scale/results\`](../bench/scale/results); do not edit it by hand.`;

/** Results of runs whose code is no longer here: docs/decisions/0013. The tests count the waits and each request's store operations. */
const MEASURED_ONCE = `## Measured once

On 2026-11-28, with the built worker, Node 24.21.0, 2 × AMD EPYC. These runs are not repeated, because the tests check what they depend on:
the [operations and waits of each request](consistency.md#what-it-costs).

**Slow stores.** KV and D1 run in another process that responds after a delay. A bare workerd, one request at a time, medians of 15, in
milliseconds. A response takes little more than its waits, one after another.

| | waits | KV 0 ms, D1 0 ms | KV 10 ms, D1 50 ms | KV 50 ms, D1 150 ms |
| --- | --- | --- | --- | --- |
| page view (\`/\`), confirmed a moment ago | 0 | 4 | 5 | 4 |
| page view that asks | 1 | 8 | 59 | 156 |
| sessions page | 3 | 15 | 127 | 363 |
| sign-in, hashing included | 3 | 114 | 234 | 453 |
| first sign-in of a browser | 4 | 114 | 275 | 609 |
| end one session (API) | 2 | 9 | 109 | 308 |
| end all others (API) | 2 | 12 | 111 | 311 |

**A full store.** 1,000,000 users in D1, with 100,000 each of its other rows, and 100,000 sessions in KV, compared with nearly empty stores:
page views, \`/activity\`, ending one session and a sign-in take 0.93 to 1.10 times as long, in three runs. So do a list of 1 and of 1,000
sessions (0.92 to 1.03 in the last one), without the 14 to 22 ms in which Miniflare's own \`list\` looks at every key.

**Ten minutes of mixed load.** 67,390 requests on six connections to a bare workerd with a heap of 128 MB: no errors, and every ended session
was refused. Its resident memory was 307 MB in the second minute and 311 MB in the last.`;

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
  return `## Cost per month

The cost of KV and D1 only, beyond what the paid plan includes. Workers requests and CPU (about 65 ms per sign-in) come on top, as for any app.
It assumes one user's month (\`USAGE\` in [\`model.mjs\`](../bench/scale/model.mjs); replace it with your own): ${u.visits} visits more than an hour
apart, each with ${u.pageViewsPerVisit} page views and ${u.accountPagesPerVisit} account page in ${u.minutesPerVisit} minutes, and therefore with ${u.minutesPerVisit} session checks by the open page and one renewal;
${u.sessionsPages} views of the sessions page, ${u.signIns} sign-in, ${u.signInsRefused} refused sign-ins, ${u.signOuts} sign-outs, ${u.revokes} ended sessions, ${u.revokesOfOthers} times "end all others",
${u.passwordChanges} password changes, ${u.signUps} sign-ups; ${SESSIONS_PER_USER} sessions at a time.

That is ${number(each.kvReads)} KV reads, ${number(each.kvWrites)} writes, ${number(each.kvDeletes)} deletes, ${number(each.kvLists)} lists, and ${number(each.d1Queries)} D1 queries with ${number(each.rowsRead)} rows read and ${number(each.rowsWritten)} written. The costs follow from
the [operation counts](consistency.md#what-it-costs) that the tests hold the app to, the rows below, and the [prices of KV](https://developers.cloudflare.com/kv/platform/pricing/)
and [of D1](https://developers.cloudflare.com/d1/platform/pricing/).

${tableOf(['users', 'KV', 'D1', 'storage', 'all', 'KV holds', 'D1 holds', 'D1 queries per second, busiest hour'], table)}

A user takes ${number(sizes.userBytes)} bytes in D1. An event takes ${number(sizes.eventBytes)} and an ended session ${number(sizes.endedBytes)}, both for 90 days. A session takes ${number(sizes.sessionBytes)} bytes in KV.

KV's writes are ${percent(shareOfWrites(each))} of what KV's operations cost, and nearly all of them are renewals. With an
\`ACTIVE_PERIOD_MILLISECONDS\` of a day there is at most one renewal per day; then "last active" is accurate to the day.

D1 bills rows. The local D1 counts these, with an address and a device cookie. A renewal includes the confirmation of its request:

${tableOf(['operation', 'rows read', 'rows written'], rowsTable)}

## Which limit binds first, and what then

| limit | room for | what then |
|---|---|---|
${free
  .map(
    ({ kind, perDay, users }) =>
      `| free plan: ${number(perDay)} ${KINDS[kind] ?? kind} per day | ${significant(users)} such users | the paid plan, which has no daily limit |`,
  )
  .join('\n')}
| free plan: 10 ms of CPU per request | no sign-in at all: its hash takes about 65 ms | the paid plan; a quicker hash is also quicker to guess |
| free plan: a D1 of 500 MB | ${significant(freeD1Users)} users | the paid plan |
| KV: one write per second and key | any number: each session has its own key and is renewed once an hour. In the \`index\` layout it limits the sign-ins of one user | the \`owner\` layout |
| paid plan: a D1 takes ${number(D1_QUERIES_PER_SECOND)} queries per second of 1 ms each, one at a time | ${significant(queryUsers)} users, if the busiest hour is ${PEAK} times the average | shards |
| paid plan: a D1 of ${D1_MAX_GB} GB | ${significant(d1Users)} users | shards |

On the free plan ${KINDS[free[0]?.kind ?? ''] ?? ''} bind first: every sign-in, sign-up and renewal is one, ${number(free[0]?.perDay ?? 0)} per day in total. On the paid plan D1 binds first, by
${queryUsers < d1Users ? 'its queries per second, then by its size' : 'its size, then by its queries per second'}.

**Shards.** No query here touches two users, and every session id begins with its user's id. So the ledger splits by user: \`DB_0\` … \`DB_n\`,
chosen in [\`createAuth\`](../src/lib/server/auth.ts) by a hash of the presented user id. A sign-in knows only the name, so let the hash of the
name choose the shard. The name is unique there, too. Make new user ids end with the shard that it chose. The throttle's rows may live anywhere.
${number(POPULATIONS.at(-1) ?? 0)} users need ${number(shardsFor(POPULATIONS.at(-1) ?? 0, d1Users, queryUsers))} databases. An account may have 50,000, and 1 TB in total unless you request more.`;
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
  /** @param {string} wanted @param {number} from seconds after the end */
  const isGreeted = (wanted, from) =>
    curves.some(
      (/** @type {any} */ { asks, accepted }) =>
        asks === wanted &&
        accepted.some(
          (/** @type {number} */ share, /** @type {number} */ i) => share > 0 && seconds[i] >= from,
        ),
    );
  if (isGreeted('require', 0)) missed.push('require accepts a session that has ended');
  if (isGreeted('peek', CONFIRMATION_SECONDS))
    missed.push(`a page view greets ${CONFIRMATION_SECONDS} s after the end`);
  /** @type {Record<string, string>} */
  const names = { record: 'KV alone', peek: 'a page view here', require: 'an account page here' };
  const lines = curves.map((/** @type {any} */ { model, asks, accepted }) => {
    const last = accepted.findLastIndex((/** @type {number} */ share) => share > 0);
    return [
      names[asks],
      model,
      percent(accepted[0]),
      percent(accepted[6]),
      last < 0 ? 'never' : `${seconds[last]} s`,
    ];
  });
  return `## How long an ended session is still greeted

${places} simulated places had all seen the session within the minute before it ended (${sessions} sessions each, on the tests' [hostile KV](consistency.md#how-it-is-tested)).
Each browser keeps the confirmation that it had. A page view greets nobody ${CONFIRMATION_SECONDS} seconds after the end, [whatever KV does](consistency.md#what-a-page-view-may-still-show). An account page
never does.

![The share of places that still greet an ended session, by the seconds since it ended: sessions in KV alone fall to none with the cache’s time, page views here within 60 seconds, account pages are at none from the start](images/scale-visibility.svg)

${tableOf(['asked', 'KV', 'greeted at once', 'after 30 s', 'last seen after'], lines)}`;
}

const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`;

/**
 * @param {string[]} head
 * @param {(string | number)[][]} rows
 */
function tableOf(head, rows) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
