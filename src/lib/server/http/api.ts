import { isHttpError, type RequestEvent } from '@sveltejs/kit';
import { LOCALE } from '$lib/words/locale';
import { SessionEnded } from '../sessions/confirmed';
import { DeviceUnproven } from '../sessions/device-keys';
import { BindingError } from '../stores/bindings';
import { Throttled } from '../throttle/throttle';
import { readBody } from './form';
import { storeFailure } from './guards';
import { problem } from './problem';
import { mayComeWithoutProof } from './unproven';

/**
 * Wraps an endpoint of the JSON API. Every error becomes problem+json. As with a form, the whole body is read before the session is
 * checked.
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
      if (thrown instanceof DeviceUnproven) return notProven(event, thrown);
      if (thrown instanceof Throttled) return tooOften(thrown);
      if (thrown instanceof BindingError) return missing(thrown);
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

/** Responds to every method that an endpoint does not have. */
export function otherMethods(allowed: string[]): () => Response {
  return () => {
    const response = problem(405, 'Method not allowed', `This address takes ${list.format(allowed)}.`);
    response.headers.set('Allow', allowed.join(', '));
    return response;
  };
}

/** `more`: what is known about the session that ended. */
export function notSignedIn(more?: Record<string, unknown> | null): Response {
  const detail = 'Sign in first: this needs the session cookie of a live session.';
  return problem(401, 'Not signed in', detail, more ?? {});
}

/** The session stands, but this request does not come from the device that it is bound to. */
function notProven({ locals, request }: RequestEvent, unproven: DeviceUnproven): Response {
  locals.auth.deviceKeys?.refuse(unproven, mayComeWithoutProof(request));
  return problem(403, 'Device not proven', 'This session is bound to a device, and no proof of it came.');
}

function missing({ message }: BindingError): Response {
  console.error(message);
  return problem(503, 'Not set up', message);
}

function tooOften({ retryAfterSeconds }: Throttled): Response {
  const answer = problem(429, 'Too often', `Try again in ${retryAfterSeconds} seconds.`);
  answer.headers.set('Retry-After', String(retryAfterSeconds));
  return answer;
}

/** Ending other sessions requires a fresh proof of the password (ASVS 7.5.1). The API leaves that proof to the page. */
export function passwordNeeded(): Response {
  return problem(
    403,
    'Password needed',
    'Your last proof is too old: confirm your password on /sessions, or sign in again.',
  );
}
