import { apiEndpoint, otherMethods } from '$lib/server/http/api';
import {
  bindingEnded,
  bindingIdOf,
  challenged,
  instructions,
  proofOf,
} from '$lib/server/http/device-session';
import { problem } from '$lib/server/http/problem';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/**
 * A browser with a bound session requests the next bound cookie. It first gets a challenge. It gets the cookie when it returns the
 * challenge signed.
 */
export const POST = apiEndpoint(async ({ request, url, locals }: RequestEvent) => {
  const { deviceKeys } = locals.auth;
  if (!deviceKeys) return problem(404, 'Not offered', 'Sessions are not bound to devices here.');
  const bindingId = bindingIdOf(request);
  if (bindingId === null) return problem(400, 'Which binding?', 'Send its id as Sec-Secure-Session-Id.');
  const refresh = await deviceKeys.refresh(bindingId, proofOf(request));
  if (refresh.is === 'ended') return bindingEnded(bindingId);
  if (refresh.is === 'challenged') return challenged(bindingId, refresh.challenge);
  return instructions(url.origin, bindingId);
});

export const fallback = otherMethods(['POST']);
