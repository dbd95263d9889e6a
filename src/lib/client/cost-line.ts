import { costOf, readOperations } from '$lib/cost';
import { costMarkup } from '$lib/words/cost';

/** The line under the page, from what the server told of a request; `null` where it did not tell all. */
export function costLineOf(timing: readonly PerformanceServerTiming[], isPageView: boolean): string | null {
  const cost = costOf(timing);
  return cost && costMarkup(cost, readOperations(timing), isPageView);
}
