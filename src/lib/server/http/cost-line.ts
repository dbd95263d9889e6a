import { costMarkup } from '$lib/words/cost';
import type { Meter } from '../stores/meter';

/**
 * What a page cost, as markup for `src/app.html`: outside of what is hydrated, since the numbers are known only when the page is rendered.
 * It holds no text of a visitor.
 */
export function costLine(meter: Meter, method: string): string {
  const markup = costMarkup(meter.cost(), meter.operations(), method !== 'POST');
  return `<aside id="cost" aria-label="Cost" data-cost>${markup}</aside>`;
}
