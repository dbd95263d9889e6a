import { peekSession } from '$lib/server/sessions/current';
import { failClosed } from '$lib/server/http/fail-closed';
import type { PageServerLoadEvent } from './$types';

/** Open to all. Reading the session here makes this page a 503, not a signed-out page, when KV is down. */
export const load = failClosed(async (event: PageServerLoadEvent) => {
  await peekSession(event);
});
