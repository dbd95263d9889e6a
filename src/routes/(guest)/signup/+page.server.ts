import { fail, redirect } from '@sveltejs/kit';
import { signUp } from '$lib/server/auth/accounts';
import { requireGuest } from '$lib/server/auth/guards';
import { failClosed } from '$lib/server/fail-closed';
import { parseForm, signUpForm, typed } from '$lib/server/forms';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

export const load = failClosed((event: PageServerLoadEvent) => requireGuest(event));

export const actions = {
  default: failClosed(async (event: RequestEvent) => {
    const form = await event.request.formData();
    const values = { username: typed(form, 'username') };
    const { data, errors } = parseForm(signUpForm, form);
    if (errors) return fail(400, { values, errors });
    if ((await signUp(event, data.username, data.password)) === 'taken') {
      return fail(409, { values, errors: { username: 'That username is taken. Choose another.' } });
    }
    redirect(303, '/sessions');
  }),
} satisfies Actions;
