import { fail, type ActionFailure } from '@sveltejs/kit';
import { Throttled } from '../throttle/throttle';
import { readForm } from './form';
import { guarded, type GuardedEvent } from './guards';
import { retryAfter } from './retry-after';

/**
 * Wraps a form action. The whole body is read before anybody asks who is there: whoever sends the headers, has the session ended elsewhere and
 * sends the rest later finds it ended. What follows the action in the same request, the page without scripts, asks again.
 *
 * @param throttled what the page shows for too many tries, given the sentence that says when the next one may come
 */
export function formAction<E extends GuardedEvent, R, T extends Record<string, unknown>>(
  action: (event: E, form: FormData) => Promise<R>,
  throttled: (message: string, form: FormData) => T,
): (event: E) => Promise<R | ActionFailure<T>> {
  return guarded(async (event: E) => {
    const form = await readForm(event.request);
    try {
      return await action(event, form);
    } catch (thrown) {
      if (!(thrown instanceof Throttled)) throw thrown;
      return fail(429, throttled(retryAfter(event, thrown), form));
    } finally {
      event.locals.auth.current.askAnew();
    }
  });
}
