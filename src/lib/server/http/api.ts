import { isHttpError, type RequestEvent } from '@sveltejs/kit';
import { LOCALE } from '$lib/words/locale';
import { SessionEnded } from '../sessions/confirmed';
import { Throttled } from '../throttle/throttle';
import { readBody } from './form';
import { storeFailure } from './guards';
import { problem } from './problem';

/**
 * Wraps an endpoint of the JSON API: problem+json for all that goes wrong. As with a form, nobody asks who is there before the whole
 * body has come.
 */
export function apiEndpoint<E extends RequestEvent>(
  handler: (event: E) => Promise<Response>,
): (event: E) => Promise<Response> {
  return async (event) => {
    try {
      await readBody(event.request);
      return await handler(event);
    } catch (thrown) {
      if (thrown instanceof SessionEnded) return notSignedIn();
      if (thrown instanceof Throttled) return tooOften(thrown);
      const failure = isHttpError(thrown) ? thrown : (storeFailure(event) ?? thrown);
      if (isHttpError(failure, 503)) {
        return problem(
          503,
          'Store unavailable',
          `${failure.body.message} ${failure.body.claim?.text ?? ''}`.trim(),
        );
      }
      if (isHttpError(failure, 413)) return problem(413, 'Content too large', failure.body.message);
      throw failure;
    }
  };
}

const list = new Intl.ListFormat(LOCALE);

/** Answers every method that an endpoint does not have. */
export function otherMethods(allowed: string[]): () => Response {
  return () => {
    const response = problem(405, 'Method not allowed', `This address takes ${list.format(allowed)}.`);
    response.headers.set('Allow', allowed.join(', '));
    return response;
  };
}

function notSignedIn(): Response {
  return problem(401, 'Not signed in', 'Sign in first: this needs the session cookie of a live session.');
}

function tooOften({ retryAfterSeconds }: Throttled): Response {
  const answer = problem(429, 'Too often', `Try again in ${retryAfterSeconds} seconds.`);
  answer.headers.set('Retry-After', String(retryAfterSeconds));
  return answer;
}

/** Ending other sessions takes a fresh proof of the password (ASVS 7.5.1), which the API leaves to the page. */
export function passwordNeeded(): Response {
  return problem(
    403,
    'Password needed',
    'Your last proof is too old: confirm your password on /sessions, or sign in again.',
  );
}
