import type { LayoutServerLoadEvent } from './$types';

/** Kit's own redirect from `/login/` to `/login` would lack all our headers. */
export const trailingSlash = 'ignore';

/**
 * Loads the name in the page header. This authorizes nothing: every page and action that needs a session checks it itself. A page for
 * guests shows no name. `viewerUnknown`: there is a session cookie, but no store said in time whose it is.
 */
export const load = async (event: LayoutServerLoadEvent) => {
  const isForGuests = event.route.id?.startsWith('/(guest)');
  const viewer = isForGuests ? null : await event.locals.auth.peek();
  const viewerUnknown = viewer === 'unknown';
  // The user according to the cookie alone. The page's forms say that they were made for this user. It decides nothing.
  const userId = isForGuests ? null : (event.locals.facts.presented?.userId ?? null);
  return { userId, viewer: viewer === 'unknown' ? null : viewer, viewerUnknown, now: Date.now() };
};
