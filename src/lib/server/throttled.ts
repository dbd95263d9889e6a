import type { RequestEvent } from '@sveltejs/kit';
import type { Throttled } from './auth/throttle';

/** Sets `Retry-After` for an answer of status 429, and gives the sentence that says the same. */
export function retryAfter(
  { setHeaders }: Pick<RequestEvent, 'setHeaders'>,
  { retryAfterSeconds }: Throttled,
): string {
  setHeaders({ 'retry-after': String(retryAfterSeconds) });
  return `Too many tries. Try again in ${inWords(retryAfterSeconds)}.`;
}

function inWords(seconds: number): string {
  if (seconds < 90) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return `${Math.ceil(seconds / 60)} minutes`;
}
