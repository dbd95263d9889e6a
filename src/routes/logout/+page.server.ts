import { error, redirect } from '@sveltejs/kit';
import { leaveNotice } from '$lib/server/http/flash';
import { readForm } from '$lib/server/http/form';
import { clearSiteData, guarded } from '$lib/server/http/guards';
import { signedInAsAnother } from '$lib/server/http/made-for';
import { form as formWords } from '$lib/words/form';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

/** Signing out needs a POST, so that a link or an image cannot do it. */
export const load = async ({ parent }: PageServerLoadEvent) => {
  // The layout may set cookies, and a redirect that is asked for as data would not wait for it.
  await parent();
  redirect(303, '/');
};

export const actions = {
  default: guarded(async (event: RequestEvent) => {
    const other = await signedInAsAnother(event, await readForm(event.request));
    if (other) error(409, { message: formWords.otherUser(other.username) });
    await event.locals.auth.sessions.signOut();
    clearSiteData(event);
    leaveNotice(event, 'signed-out');
    redirect(303, '/login');
  }),
} satisfies Actions;
