import { json } from '@sveltejs/kit';
import { apiEndpoint, otherMethods, passwordNeeded, tooOften } from '$lib/server/http/api';
import { isProofFresh } from '$lib/server/accounts/accounts';
import { requireSession } from '$lib/server/sessions/current';
import { listSessions, revokeOtherSessions } from '$lib/server/sessions/sessions';
import { isThrottled } from '$lib/server/throttle/throttle';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** The caller's live sessions. `more`: only the first `SESSIONS_LISTED_MAX` records were looked at. */
export const GET = apiEndpoint(async (event: RequestEvent) => {
  const { sessions, more } = await listSessions(event, await requireSession(event));
  return json({ sessions, ...(more && { more }) });
});

/** Ends all the caller's sessions but this one, which goes on under a new cookie. `ended` is `null` if KV could not count. */
export const DELETE = apiEndpoint(async (event: RequestEvent) => {
  const session = await requireSession(event);
  if (!isProofFresh(session)) return passwordNeeded();
  const outcome = await revokeOtherSessions(event, session);
  return isThrottled(outcome) ? tooOften(outcome) : json({ ended: outcome });
});

export const fallback = otherMethods(['GET', 'HEAD', 'DELETE']);
