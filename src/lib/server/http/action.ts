import { fail, type ActionFailure } from '@sveltejs/kit';
import { form as words } from '$lib/words/form';
import type { Wait } from '$lib/words/throttled';
import { Throttled } from '../throttle/throttle';
import { readForm } from './form';
import { guarded, type GuardedEvent } from './guards';
import { signedInAsAnother } from './made-for';
import { retryAfter } from './retry-after';

/**
 * Wraps a form action. It reads the whole body before the action checks the session. Otherwise a client could send the headers, wait until
 * the session has ended elsewhere, send the rest and still be accepted. Whatever follows the action in the same request (the page without
 * scripts) checks the session again.
 *
 * @param throttled returns what the page shows after too many tries. It gets the wait before the next one
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

/**
 * Wraps a form action that changes an account. A form that was made for another user than the signed-in one is refused and changes nothing.
 */
export function accountAction<E extends GuardedEvent, R, T extends Record<string, unknown>>(
  action: (event: E, form: FormData) => Promise<R>,
  throttled: (wait: Wait, form: FormData) => T,
): (event: E) => Promise<R | ActionFailure<T> | ActionFailure<{ otherUser: string }>> {
  return formAction(async (event: E, form) => {
    const other = await signedInAsAnother(event, form);
    return other ? fail(409, { otherUser: words.otherUser(other.username) }) : action(event, form);
  }, throttled);
}
