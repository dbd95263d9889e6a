/**
 * What a visit of ten minutes asks of the stores: the README's table. Each kind of request is counted once, by the bench's own counters.
 */
import { dollarsPerMillion, noCost } from '../../src/lib/cost.ts';
import { countOperations } from './measure.mjs';
import { number, table } from './numbers.mjs';
import { subjectOf } from './subjects.mjs';

/** Eight page views and an account page, and an open tab that looks once a minute. */
const [VIEWS, ACCOUNT_PAGES, LOOKS] = [8, 1, 10];
/** The cookie cache's five minutes end twice in ten. */
const CACHE_ENDS = 2;

/**
 * How often each kind of request is made, the views of them that ask a store, and when an ended session is refused.
 * @type {{ name: string, asks: Record<string, number>, waiting: number, account: string, view: string }[]}
 */
const VISITS = [
  {
    name: 'this app',
    // The looks keep the confirmation fresh: of the views only the first one asks.
    asks: { 'ours/peek': 1, 'ours/peek-fresh': VIEWS - 1, 'ours/require': ACCOUNT_PAGES, 'ours/look': LOOKS },
    waiting: 1,
    account: 'at once',
    view: '60 s at most',
  },
  {
    name: 'better-auth, sessions in KV',
    asks: { 'better-auth/kv': VIEWS + ACCOUNT_PAGES + LOOKS },
    waiting: VIEWS,
    account: 'when KV shows it: 60 s or more',
    view: 'the same',
  },
  {
    name: 'better-auth on D1, cookie cache of 5 minutes',
    asks: { 'better-auth/d1': CACHE_ENDS, 'better-auth/cache': VIEWS + ACCOUNT_PAGES + LOOKS - CACHE_ENDS },
    waiting: CACHE_ENDS,
    account: '5 minutes at most',
    view: 'the same',
  },
  {
    name: 'Lucia on D1',
    asks: { 'lucia/d1': VIEWS + ACCOUNT_PAGES + LOOKS },
    waiting: VIEWS,
    account: 'at once',
    view: 'at once',
  },
];

/**
 * The table, in Markdown.
 * @param {import('./measure.mjs').Bench} bench with the workers that `VISITS` names
 */
export async function visitTable(bench) {
  const rows = [];
  for (const { name, asks, waiting, account, view } of VISITS) {
    const cost = noCost();
    for (const [id, times] of Object.entries(asks)) {
      const { all } = await countOperations(bench, subjectOf(id));
      cost.kvReads += times * (all['KV get'] ?? 0);
      cost.d1Queries += times * (all.D1 ?? 0);
      cost.kvWrites += times * (all['KV put'] ?? 0);
    }
    const operations = `${cost.kvReads} + ${cost.d1Queries}`;
    if (cost.kvWrites > 0)
      throw new Error(`[bench] a visit of ${name} writes to KV: the table has no column for it`);
    rows.push([
      name,
      `${waiting} of ${VIEWS}`,
      operations,
      `$${number(dollarsPerMillion(cost), 2)}`,
      account,
      view,
    ]);
  }
  const head = [
    '',
    'page views that wait for a store',
    'KV reads + D1 round trips',
    'a million visits',
    'ended: account page',
    'ended: page view',
  ];
  return table(head, rows);
}
