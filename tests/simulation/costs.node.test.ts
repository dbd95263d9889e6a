import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LEFTOVER_OPERATIONS_PER_STEP } from '$lib/server/policy';
import { add, COSTS, EXTRA, KINDS, PAGES, WAITS, type Cost } from './costs';

/** Each row's numbers: the operations, and last the waits. */
const ROWS = Object.entries<Cost>({ ...COSTS, ...EXTRA, ...PAGES }).map(([name, cost]) => ({
  name,
  numbers: [...KINDS.map((kind) => cost[kind]), waitsOf(name)],
}));

function waitsOf(name: string): number | undefined {
  return new Map(Object.entries(WAITS)).get(name);
}

const page = readFileSync(new URL('../../docs/consistency.md', import.meta.url), 'utf8');

/** The rows of all tables whose cells after the first are numbers, in the same amount. */
const published = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((row) => row.map((cell) => cell.trim()))
    .filter(([, ...cells]) => cells.length === KINDS.length + 1 && cells.every(isNumber))
    .map(([name = '', ...cells]) => [name.replaceAll('`', ''), cells.map(Number)]),
);

function isNumber(cell: string): boolean {
  return /^\d+$/.test(cell);
}

describe('docs/consistency.md publishes what the tests hold the app to', () => {
  it.each(ROWS)('the published cost is the tested one: $name', ({ name, numbers }) => {
    expect(published.get(name)).toEqual(numbers);
  });

  it('docs/consistency.md publishes no cost that the tests do not check', () => {
    expect([...published.keys()].sort()).toEqual(ROWS.map(({ name }) => name).sort());
  });
});

/** Workers, paid plan: what one request may ask of KV and D1 (developers.cloudflare.com/workers/platform/limits). */
const PAID_PLAN_SUBREQUESTS = 1_000;

it.each([
  {
    operation: COSTS['sign-in'],
    name: 'sign-in',
    extra: EXTRA['sign-in from a browser that knew an earlier password'],
  },
  { operation: COSTS['sign-up'], name: 'sign-up', extra: EXTRA['sign-in from a new browser'] },
  { operation: COSTS['delete account'], name: 'delete account', extra: EXTRA['a renewal that was due'] },
])('on the paid plan, $name leaves room for a step that removes leftovers', ({ operation, extra }) => {
  const own = add(operation, extra, EXTRA['the session that a sign-in replaces']);
  // One more deletes the marker.
  const asked = own.get + own.put + own.delete + own.list + own.queries + 1;
  expect(asked + LEFTOVER_OPERATIONS_PER_STEP).toBeLessThanOrEqual(PAID_PLAN_SUBREQUESTS);
});
