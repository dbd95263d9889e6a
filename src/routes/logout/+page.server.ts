import { redirect } from '@sveltejs/kit';
import { leaveNotice } from '$lib/server/http/flash';
import { clearSiteData, guarded } from '$lib/server/http/guards';
import type { Actions, RequestEvent } from './$types';

/** Signing out takes a POST: a link or an image must not do it. */
export const load = () => redirect(303, '/');

export const actions = {
  default: guarded(async (event: RequestEvent) => {
    await event.locals.auth.sessions.signOut();
    clearSiteData(event);
    leaveNotice(event, 'signed-out');
    redirect(303, '/login');
  }),
} satisfies Actions;
