import { listEvents } from '$lib/server/sessions/activity';
import { requireSession } from '$lib/server/sessions/current';
import { failClosed } from '$lib/server/http/fail-closed';
import type { PageServerLoadEvent } from './$types';

/** `?before=<event id>` gives the page after that event. */
export const load = failClosed(async (event: PageServerLoadEvent) => {
  const session = await requireSession(event);
  const asked = Number(event.url.searchParams.get('before'));
  const before = Number.isSafeInteger(asked) && asked > 0 ? asked : null;
  const { events, more } = await listEvents(event.locals.auth.stores.db, session.user.userId, before);
  return { events, more, firstPage: before === null, currentSessionId: session.sessionId };
});
