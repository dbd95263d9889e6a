import { fail, redirect } from '@sveltejs/kit';
import { formAction } from '$lib/server/http/action';
import { parseForm, shownAgain, signInForm, tryAgain } from '$lib/server/http/form';
import { guarded, requireGuest } from '$lib/server/http/guards';
import { keepsNoCookies, leaveCookie } from '$lib/server/http/keeps-cookies';
import { takeNotice } from '$lib/server/http/flash';
import { redirectTarget } from '$lib/server/http/redirect-target';
import { form as words } from '$lib/words/form';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

export const load = guarded(async (event: PageServerLoadEvent) => {
  await requireGuest(event);
  leaveCookie(event);
  // After the guest check, so that a page that is not shown does not use up the notice.
  const left = takeNotice(event);
  const { searchParams } = event.url;
  return {
    redirectTo: searchParams.has('redirectTo') ? redirectTarget(event.url) : null,
    notice: left?.notice ?? null,
    end: left?.end ?? null,
  };
});

export const actions = {
  default: formAction(async (event: RequestEvent, form) => {
    if (keepsNoCookies(event)) return fail(400, shownAgain(words.noCookies, form));
    const { data, errors } = parseForm(signInForm, form);
    if (errors) return tryAgain(400, form, errors);
    const outcome = await event.locals.auth.accounts.signIn(data.username, data.password);
    // The message does not say which of the two is wrong (ASVS 6.3.8).
    if (outcome === 'refused')
      return tryAgain(400, form, { password: 'The username or the password is wrong.' });
    redirect(303, redirectTarget(event.url));
  }, shownAgain),
} satisfies Actions;
