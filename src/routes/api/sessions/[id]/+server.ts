import { apiEndpoint, otherMethods, passwordNeeded } from '$lib/server/http/api';
import { clearSiteData } from '$lib/server/http/guards';
import { problem } from '$lib/server/http/problem';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** Ends one of the caller's sessions. If it is the caller's own, this is a sign-out. */
export const DELETE = apiEndpoint(async (event: RequestEvent) => {
  const { current, sessions, accounts } = event.locals.auth;
  const asking = await current.require();
  const { id } = event.params;
  if (id === asking.sessionId) {
    await sessions.signOut();
    clearSiteData(event);
    return new Response(null, { status: 204 });
  }
  const session = accounts.freshProof(asking);
  if (!session) return passwordNeeded();
  if ((await sessions.revoke(session, id)) === 'unknown') {
    return problem(404, 'No such session', 'You have no live session of that id. It may have ended already.');
  }
  return new Response(null, { status: 204 });
});

export const fallback = otherMethods(['DELETE']);
