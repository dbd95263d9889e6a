import { listEvents } from '$lib/server/sessions/activity';
import { guarded } from '$lib/server/http/guards';
import type { PageServerLoadEvent } from './$types';

/** `?before=<event id>` returns the page of events before that one. */
export const load = guarded(async ({ locals, url }: PageServerLoadEvent) => {
  const session = await locals.auth.current.require();
  const asked = Number(url.searchParams.get('before'));
  const before = Number.isSafeInteger(asked) && asked > 0 ? asked : null;
  const { db } = locals.stores;
  const { events, more } = await listEvents(db, session.user.userId, before, session.sessionId);
  return { events, more, firstPage: before === null };
});
