import { peekSession } from '$lib/server/auth/guards';
import type { LayoutServerLoadEvent } from './$types';

/**
 * Who to greet. It authorises nothing: every page and action that needs a session asks for it itself.
 * When the store is down the greeting is left out, and the page's own load says so.
 */
export const load = async (event: LayoutServerLoadEvent) => {
  const session = await peekSession(event).catch(() => null);
  return { viewer: session && { username: session.user.username }, now: Date.now() };
};
