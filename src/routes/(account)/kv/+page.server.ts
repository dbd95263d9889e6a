import { guarded } from '$lib/server/http/guards';
import { listOwnRecords } from './own-records';
import type { PageServerLoadEvent } from './$types';

export const load = guarded(async ({ locals }: PageServerLoadEvent) => {
  const { user, sessionId } = await locals.auth.current.require();
  const own = await listOwnRecords(locals.stores.kv, user.userId, sessionId);
  return { ...own, currentSessionId: sessionId };
});
