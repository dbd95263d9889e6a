import { listEvents } from '$lib/server/auth/events';
import { requireSession } from '$lib/server/auth/guards';
import { failClosed } from '$lib/server/fail-closed';
import type { PageServerLoadEvent } from './$types';

/** `?before=<event id>` gives the page after that event. */
export const load = failClosed(async (event: PageServerLoadEvent) => {
  const session = await requireSession(event);
  const before = Number(event.url.searchParams.get('before') ?? NaN);
  const { events, more } = await listEvents(
    event.locals.auth.stores.db,
    session.user.userId,
    Number.isSafeInteger(before) && before > 0 ? before : null,
  );
  return { events, more, firstPage: !Number.isSafeInteger(before), currentSessionId: session.sessionId };
});
