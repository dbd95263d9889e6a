import { costMarkup } from '$lib/words/cost';
import type { Meter } from '../stores/meter';

/**
 * The cost of a page as markup for `src/app.html`. It is outside the hydrated part, because the numbers are known only after the page is
 * rendered. It contains no text from a visitor.
 */
export function costLine(meter: Meter, method: string): string {
  const markup = costMarkup(meter.cost(), meter.operations(), method !== 'POST');
  return `<aside id="cost" aria-label="Cost" data-cost>${markup}</aside>`;
}
