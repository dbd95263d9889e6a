import type { LayoutServerLoadEvent } from './$types';

/** Kit's own redirect from `/login/` to `/login` would carry none of our headers. */
export const trailingSlash = 'ignore';

/**
 * Who to greet. It authorises nothing: every page and action that needs a session asks for it itself. A page for guests
 * greets nobody. `viewerUnknown`: there is a session cookie, and no store said in time whose.
 */
export const load = async (event: LayoutServerLoadEvent) => {
  const isForGuests = event.route.id?.startsWith('/(guest)');
  const viewer = isForGuests ? null : await event.locals.auth.current.peek();
  const viewerUnknown = viewer === 'unknown';
  // Whose page this is by its cookie alone: what its forms say they were made for. It decides nothing.
  const userId = isForGuests ? null : (event.locals.facts.presented?.userId ?? null);
  return { userId, viewer: viewer === 'unknown' ? null : viewer, viewerUnknown, now: Date.now() };
};
