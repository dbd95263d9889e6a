import { redirect } from '@sveltejs/kit';
import { signUp } from '$lib/server/auth/accounts';
import { requireGuest } from '$lib/server/auth/guards';
import { checkPassword } from '$lib/server/auth/password-policy';
import { failClosed } from '$lib/server/fail-closed';
import { parseForm, signUpForm, tryAgain, readForm } from '$lib/server/forms';
import { retryAfter } from '$lib/server/throttled';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { answers } from './words';

export const load = failClosed((event: PageServerLoadEvent) => requireGuest(event));

export const actions = {
  default: failClosed(async (event: RequestEvent) => {
    const form = await readForm(event.request);
    const { data, errors } = parseForm(signUpForm, form);
    if (errors) return tryAgain(400, form, errors);
    const { username, password } = data;
    const weakness = await checkPassword({ username, password, isBreached: event.locals.isBreached });
    if (weakness) return tryAgain(400, form, { password: weakness });
    const outcome = await signUp(event, username, password);
    if (outcome === 'taken') {
      return tryAgain(409, form, { username: answers.taken });
    }
    if (outcome !== 'signed-in') return tryAgain(429, form, { form: retryAfter(event, outcome) });
    redirect(303, '/sessions');
  }),
} satisfies Actions;
