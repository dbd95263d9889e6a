import { failClosed } from './fail-closed';
import { readForm } from './form';
import { confirmAnew, type GuardEvent } from '../sessions/current';

/**
 * Wraps a form action. The whole body is read before anybody asks who is there: whoever sends the headers, has the session ended elsewhere and
 * sends the rest later finds it ended. What follows the action in the same request, the page without scripts, asks again.
 */
export function formAction<E extends GuardEvent, R>(
  action: (event: E, form: FormData) => Promise<R>,
): (event: E) => Promise<R> {
  return failClosed(async (event) => {
    const form = await readForm(event.request);
    try {
      return await action(event, form);
    } finally {
      confirmAnew(event);
    }
  });
}
