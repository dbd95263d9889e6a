import { error, isHttpError, isRedirect } from '@sveltejs/kit';
import { answers } from '$lib/words/error';
import type { Auth } from '../sessions/lucia';

/**
 * Wraps a load, an action or an endpoint: when a store failed under it, the answer is a 503 that names the store,
 * whatever became of the error on its way up. Nobody is signed in by a store that is down.
 */
export function failClosed<E extends { locals: { auth: Auth } }, R>(
  handler: (event: E) => Promise<R>,
): (event: E) => Promise<R> {
  return async (event) => {
    try {
      return await handler(event);
    } catch (thrown) {
      const { failed } = event.locals.auth.stores;
      if (!failed || isRedirect(thrown) || isHttpError(thrown)) throw thrown;
      console.error(
        JSON.stringify({ event: 'store-unavailable', store: failed.store, message: failed.message }),
      );
      error(503, { message: answers.store[failed.store], store: failed.store });
    }
  };
}
