import type { RequestEvent } from '@sveltejs/kit';
import { throttled } from '$lib/words/throttled';
import type { Throttled } from '../throttle/throttle';

/** Sets `Retry-After` for a response with status 429 and returns the sentence that says the same. */
export function retryAfter(
  { setHeaders }: Pick<RequestEvent, 'setHeaders'>,
  { retryAfterSeconds }: Throttled,
): string {
  setHeaders({ 'retry-after': String(retryAfterSeconds) });
  return throttled(retryAfterSeconds);
}
