import type { RequestEvent } from '@sveltejs/kit';
import type { Wait } from '$lib/words/throttled';
import type { Throttled } from '../throttle/throttle';

/** Sets `Retry-After` for a response with status 429, and returns the wait that its page counts down. */
export function retryAfter(
  { setHeaders }: Pick<RequestEvent, 'setHeaders'>,
  { retryAfterSeconds }: Throttled,
): Wait {
  setHeaders({ 'retry-after': String(retryAfterSeconds) });
  return { waitSeconds: retryAfterSeconds };
}
