import { PRICES, type Cost } from '$lib/cost';
import { costInWords, costLine as words } from '$lib/words/cost';

/**
 * The line under a page that says what it cost, as markup for `src/app.html`: outside of what is hydrated, since the numbers are
 * known only when the page is rendered. It holds no text of a visitor.
 */
export function costLine(cost: Cost, method: string): string {
  const prices = [link(PRICES.kv, words.kvPrices), link(PRICES.d1, words.d1Prices)];
  const sentence = words.sentence(`<span data-cost>${costInWords(cost, method !== 'POST')}</span>`, prices);
  return `<aside id="cost" aria-label="${words.label}">${sentence}</aside>`;
}

function link(address: string, text: string): string {
  return `<a href="${address}">${text}</a>`;
}
