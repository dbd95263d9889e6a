import { costOf, readOperations } from '$lib/cost';
import { costMarkup } from '$lib/words/cost';

/** Returns the markup of the line under the page from a request's server timing, or `null` if the server did not report every count. */
export function costLineOf(timing: readonly PerformanceServerTiming[], isPageView: boolean): string | null {
  const cost = costOf(timing);
  return cost && costMarkup(cost, readOperations(timing), isPageView);
}
