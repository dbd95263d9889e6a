import type { LayoutServerLoadEvent } from './$types';

/** Kit's own redirect from `/login/` to `/login` would carry none of our headers. */
export const trailingSlash = 'ignore';

/**
 * Who to greet. It authorises nothing: every page and action that needs a session asks for it itself. A page for guests
 * greets nobody. When the store is down the greeting is left out, and the page's own load says so.
 */
export const load = async (event: LayoutServerLoadEvent) => {
  const isForGuests = event.route.id?.startsWith('/(guest)');
  const session = isForGuests ? null : await event.locals.auth.current.peek().catch(() => null);
  // Whose page this is by its cookie alone: what its forms say they were made for. It decides nothing.
  const userId = isForGuests ? null : (event.locals.facts.presented?.userId ?? null);
  return { userId, viewer: session && { username: session.user.username }, now: Date.now() };
};
