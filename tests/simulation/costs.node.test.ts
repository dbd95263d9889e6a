import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { COSTS, EXTRA, KINDS, PAGES } from './costs';

const COSTS_BY_NAME = { ...COSTS, ...EXTRA, ...PAGES };
const page = readFileSync(new URL('../../docs/consistency.md', import.meta.url), 'utf8');

/** The rows of all tables whose cells after the first are numbers, one a kind. */
const published = new Map(
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1))
    .map((row) => row.map((cell) => cell.trim()))
    .filter(([, ...cells]) => cells.length === KINDS.length && cells.every(isNumber))
    .map(([name = '', ...cells]) => [name.replaceAll('`', ''), cells.map(Number)]),
);

function isNumber(cell: string): boolean {
  return /^\d+$/.test(cell);
}

describe('docs/consistency.md publishes what the tests hold the app to', () => {
  it.each(Object.entries(COSTS_BY_NAME))('%s', (name, cost) => {
    expect(published.get(name)).toEqual(KINDS.map((kind) => cost[kind]));
  });

  it('and nothing else', () => {
    expect([...published.keys()].sort()).toEqual(Object.keys(COSTS_BY_NAME).sort());
  });
});
