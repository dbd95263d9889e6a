import { dollarsPerMillion, type Cost } from '../cost';

/** The line under every page. `cost` and `prices` are markup that goes into the sentence. */
export const costLine = {
  label: 'Cost',
  sentence: (cost: string, prices: string[]) => `This page cost ${cost}. Prices: ${prices.join(', ')}.`,
  kvPrices: 'Workers KV',
  d1Prices: 'D1',
};

/**
 * "1 KV read, 0 D1 queries, $0.50 per million such pages". Kinds that were not used are left out, but for these two. An action has
 * no price here: it writes to D1, which costs far more than a read.
 */
export function costInWords(cost: Cost, isPageView: boolean): string {
  const parts = [
    count(cost.kvReads, 'KV read'),
    cost.kvWrites && count(cost.kvWrites, 'KV write'),
    cost.kvLists && count(cost.kvLists, 'KV list'),
    cost.kvDeletes && count(cost.kvDeletes, 'KV delete'),
    cost.d1Queries === 1 ? '1 D1 query' : `${cost.d1Queries} D1 queries`,
    isPageView && `$${dollarsPerMillion(cost).toFixed(2)} per million such pages`,
  ];
  return parts.filter(Boolean).join(', ');
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
