import { guarded } from '$lib/server/http/guards';
import type { PageServerLoadEvent } from './$types';

/** Open to all. Reading the session here makes this page a 503, not a signed-out page, when KV is down. */
export const load = guarded(async ({ locals }: PageServerLoadEvent) => {
  await locals.auth.current.peek();
  return { hasRace: locals.hasRace, sourceUrl: locals.sourceUrl };
});
