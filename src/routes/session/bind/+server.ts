import { apiEndpoint, otherMethods } from '$lib/server/http/api';
import { instructions, proofOf } from '$lib/server/http/device-session';
import { problem } from '$lib/server/http/problem';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** A browser accepts the offer to bind its session to this device. It sends a proof signed with a key that it has just created. */
export const POST = apiEndpoint(async ({ request, url, locals }: RequestEvent) => {
  const { deviceKeys } = locals.auth;
  if (!deviceKeys) return problem(404, 'Not offered', 'Sessions are not bound to devices here.');
  const proof = proofOf(request);
  if (proof === null) return problem(400, 'No proof', 'Send it as Secure-Session-Response.');
  const bound = await deviceKeys.bind(proof);
  if (bound === 'refused')
    return problem(
      403,
      'Not bound',
      'This takes the session’s cookie, and a proof that is less than a minute old.',
    );
  return instructions(url.origin, bound.bindingId);
});

export const fallback = otherMethods(['POST']);
