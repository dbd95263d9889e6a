import { fail, redirect } from '@sveltejs/kit';
import { signIn } from '$lib/server/auth/accounts';
import { requireGuest } from '$lib/server/auth/guards';
import { failClosed } from '$lib/server/fail-closed';
import { parseForm, signInForm, typed } from '$lib/server/forms';
import { redirectTarget } from '$lib/server/redirect-target';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

const NOTICES = ['signed-out-everywhere', 'account-deleted'] as const;

export const load = failClosed(async (event: PageServerLoadEvent) => {
  await requireGuest(event);
  const { searchParams } = event.url;
  return {
    redirectTo: searchParams.has('redirectTo') ? redirectTarget(event.url) : null,
    notice: NOTICES.find((notice) => notice === searchParams.get('notice')) ?? null,
  };
});

export const actions = {
  default: failClosed(async (event: RequestEvent) => {
    const form = await event.request.formData();
    const values = { username: typed(form, 'username') };
    const { data, errors } = parseForm(signInForm, form);
    if (errors) return fail(400, { values, errors });
    if ((await signIn(event, data.username, data.password)) === 'refused') {
      return fail(400, { values, errors: { password: 'The username or the password is wrong.' } });
    }
    redirect(303, redirectTarget(event.url));
  }),
} satisfies Actions;
