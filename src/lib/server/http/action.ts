import { fail, type ActionFailure } from '@sveltejs/kit';
import { form as words } from '$lib/words/form';
import type { Wait } from '$lib/words/throttled';
import { Throttled } from '../throttle/throttle';
import { readForm } from './form';
import { guarded, type GuardedEvent } from './guards';
import { signedInAsAnother } from './made-for';
import { retryAfter } from './retry-after';

/**
 * Wraps a form action. The whole body is read before anybody asks who is there: whoever sends the headers, has the session ended elsewhere and
 * sends the rest later finds it ended. What follows the action in the same request, the page without scripts, asks again.
 *
 * @param throttled what the page shows for too many tries, given how long to wait for the next one
 */
export function formAction<E extends GuardedEvent, R, T extends Record<string, unknown>>(
  action: (event: E, form: FormData) => Promise<R>,
  throttled: (wait: Wait, form: FormData) => T,
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

/** Wraps a form action that changes an account: a form that was made for another user than the one who is here is refused, and does nothing. */
export function accountAction<E extends GuardedEvent, R, T extends Record<string, unknown>>(
  action: (event: E, form: FormData) => Promise<R>,
  throttled: (wait: Wait, form: FormData) => T,
): (event: E) => Promise<R | ActionFailure<T> | ActionFailure<{ otherUser: string }>> {
  return formAction(async (event: E, form) => {
    const other = await signedInAsAnother(event, form);
    return other ? fail(409, { otherUser: words.otherUser(other.username) }) : action(event, form);
  }, throttled);
}
