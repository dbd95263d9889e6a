import { apiEndpoint, otherMethods, passwordNeeded } from '$lib/server/http/api';
import { isProofFresh } from '$lib/server/accounts/accounts';
import { requireSession } from '$lib/server/sessions/current';
import { revokeSession, signOut } from '$lib/server/sessions/sessions';
import { problem } from '$lib/server/http/problem';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** Ends one of the caller's sessions; the caller's own is a sign-out. */
export const DELETE = apiEndpoint(async (event: RequestEvent) => {
  const session = await requireSession(event);
  const { id } = event.params;
  if (id === session.sessionId) {
    await signOut(event);
    return new Response(null, { status: 204 });
  }
  if (!isProofFresh(session)) return passwordNeeded();
  if ((await revokeSession(event, session, id)) === 'unknown') {
    return problem(404, 'No such session', 'You have no live session of that id. It may have ended already.');
  }
  return new Response(null, { status: 204 });
});

export const fallback = otherMethods(['DELETE']);
