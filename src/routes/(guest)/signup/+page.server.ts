import { redirect } from '@sveltejs/kit';
import { signUp } from '$lib/server/accounts/accounts';
import { requireGuest } from '$lib/server/sessions/current';
import { checkPassword } from '$lib/server/accounts/password-policy';
import { failClosed } from '$lib/server/http/fail-closed';
import { formAction } from '$lib/server/http/action';
import { parseForm, signUpForm, tryAgain, typed } from '$lib/server/http/form';
import { retryAfter } from '$lib/server/http/retry-after';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { answers } from './words';

export const load = failClosed((event: PageServerLoadEvent) => requireGuest(event));

export const actions = {
  default: formAction(async (event: RequestEvent, form) => {
    const { data, errors } = parseForm(signUpForm, form);
    // Also when the name is wrong: who has to type the password anew should not be told of the next mistake only then.
    const { username, password } = data ?? {
      username: typed(form, 'username'),
      password: typed(form, 'password'),
    };
    const weakness =
      !errors?.password && (await checkPassword({ username, password, isBreached: event.locals.isBreached }));
    if (errors || weakness)
      return tryAgain(400, form, { ...errors, ...(weakness && { password: weakness }) });
    const outcome = await signUp(event, username, password);
    if (outcome === 'taken') {
      return tryAgain(409, form, { username: answers.taken });
    }
    if (outcome !== 'signed-in') return tryAgain(429, form, { form: retryAfter(event, outcome) });
    redirect(303, '/sessions');
  }),
} satisfies Actions;
