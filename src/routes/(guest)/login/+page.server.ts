import { redirect } from '@sveltejs/kit';
import { signIn } from '$lib/server/accounts/accounts';
import { requireGuest } from '$lib/server/sessions/current';
import { failClosed } from '$lib/server/http/fail-closed';
import { formAction } from '$lib/server/http/action';
import { parseForm, signInForm, tryAgain } from '$lib/server/http/form';
import { takeNotice } from '$lib/server/http/flash';
import { redirectTarget } from '$lib/server/http/redirect-target';
import { retryAfter } from '$lib/server/http/retry-after';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { answers } from './words';

const NOTICES = ['signed-out-everywhere', 'account-deleted'] as const;

export const load = failClosed(async (event: PageServerLoadEvent) => {
  const left = takeNotice(event);
  await requireGuest(event);
  const { searchParams } = event.url;
  return {
    redirectTo: searchParams.has('redirectTo') ? redirectTarget(event.url) : null,
    notice: NOTICES.find((notice) => notice === searchParams.get('notice')) ?? left,
  };
});

export const actions = {
  default: formAction(async (event: RequestEvent, form) => {
    const { data, errors } = parseForm(signInForm, form);
    if (errors) return tryAgain(400, form, errors);
    const outcome = await signIn(event, data.username, data.password);
    if (outcome === 'refused') {
      return tryAgain(400, form, { password: answers.refused });
    }
    if (outcome !== 'signed-in') return tryAgain(429, form, { form: retryAfter(event, outcome) });
    redirect(303, redirectTarget(event.url));
  }),
} satisfies Actions;
