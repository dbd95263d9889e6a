import { requireSession } from '$lib/server/sessions/current';
import { failClosed } from '$lib/server/http/fail-closed';
import { listOwnRecords } from './own-records';
import type { PageServerLoadEvent } from './$types';

export const load = failClosed(async (event: PageServerLoadEvent) => {
  const session = await requireSession(event);
  const { user, sessionId } = session;
  const own = await listOwnRecords(event.locals.auth.stores.kv, user.userId, sessionId);
  return { ...own, currentSessionId: sessionId };
});
