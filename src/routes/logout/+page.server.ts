import { redirect } from '@sveltejs/kit';
import { signOut } from '$lib/server/sessions/sessions';
import { failClosed } from '$lib/server/http/fail-closed';
import { leaveNotice } from '$lib/server/http/flash';
import type { Actions, RequestEvent } from './$types';

/** Signing out takes a POST: a link or an image must not do it. */
export const load = () => redirect(303, '/');

export const actions = {
  default: failClosed(async (event: RequestEvent) => {
    await signOut(event);
    leaveNotice(event, 'signed-out');
    redirect(303, '/login');
  }),
} satisfies Actions;
