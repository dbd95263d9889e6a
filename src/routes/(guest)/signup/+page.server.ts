import { fail, redirect } from '@sveltejs/kit';
import { checkPassword } from '$lib/server/accounts/password-policy';
import { formAction } from '$lib/server/http/action';
import { parseForm, shownAgain, signUpForm, tryAgain, typed } from '$lib/server/http/form';
import { guarded, requireGuest } from '$lib/server/http/guards';
import { keepsNoCookies, leaveCookie, visitOf } from '$lib/server/http/keeps-cookies';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { form as words } from '$lib/words/form';

export const load = guarded(async (event: PageServerLoadEvent) => {
  await requireGuest(event);
  leaveCookie(event);
});

export const actions = {
  default: formAction(async (event: RequestEvent, form) => {
    if (keepsNoCookies(event)) return fail(400, shownAgain(words.noCookies, form));
    const { data, errors } = parseForm(signUpForm, form);
    // Checks the password even if the name is wrong. The password must be typed again anyway, so the user should learn of both mistakes at
    // once.
    const { username, password } = data ?? {
      username: typed(form, 'username'),
      password: typed(form, 'password'),
    };
    const weakness =
      !errors?.password && (await checkPassword({ username, password, isBreached: event.locals.isBreached }));
    if (errors || weakness)
      return tryAgain(400, form, { ...errors, ...(weakness && { password: words.newPassword[weakness] }) });
    const outcome = await event.locals.auth.accounts.signUp(username, password, visitOf(event));
    if (outcome === 'taken') {
      return tryAgain(409, form, {
        username: 'That username is taken. Choose another. If this account is yours, sign in.',
      });
    }
    redirect(303, '/sessions');
  }, shownAgain),
} satisfies Actions;
