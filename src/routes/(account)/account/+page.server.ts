import { fail, redirect } from '@sveltejs/kit';
import { changePassword, deleteAccount } from '$lib/server/accounts/accounts';
import { requireSession, toSignIn } from '$lib/server/sessions/current';
import { checkPassword } from '$lib/server/accounts/password-policy';
import { failClosed } from '$lib/server/http/fail-closed';
import { formAction } from '$lib/server/http/action';
import { countOf, listOthers } from '$lib/server/sessions/sessions';
import { changePasswordForm, deleteAccountForm, parseForm, type FieldErrors } from '$lib/server/http/form';
import { retryAfter } from '$lib/server/http/retry-after';
import { form as formWords } from '$lib/words/form';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { answers } from './words';

export const load = failClosed(async (event: PageServerLoadEvent) => {
  const session = await requireSession(event);
  const { auth } = event.locals;
  const [createdAt, listed] = await Promise.all([
    auth.ledger.accountCreatedAt(session.user.userId),
    listOthers(auth, session),
  ]);
  if (createdAt === null) toSignIn(event);
  const others = countOf(listed);
  return { username: session.user.username, createdAt, sessionCount: others === null ? null : others + 1 };
});

export const actions = {
  changePassword: formAction(async (event: RequestEvent, form) => {
    const session = await requireSession(event);
    const { data, errors } = parseForm(changePasswordForm, form);
    if (errors) return refuseChange(400, errors);
    const weakness = await checkPassword({
      username: session.user.username,
      password: data.newPassword,
      isBreached: event.locals.isBreached,
    });
    if (weakness) return refuseChange(400, { newPassword: weakness });
    const outcome = await changePassword(event, session, data.currentPassword, data.newPassword);
    if (outcome === 'wrong-password') return refuseChange(400, { currentPassword: formWords.password.wrong });
    if (outcome === 'same-password') return refuseChange(400, { newPassword: formWords.newPassword.same });
    if ('retryAfterSeconds' in outcome) {
      return refuseChange(429, { currentPassword: retryAfter(event, outcome) });
    }
    return { changePassword: { errors: undefined, message: answers.passwordChanged(outcome.endedOthers) } };
  }),

  deleteAccount: formAction(async (event: RequestEvent, form) => {
    const session = await requireSession(event);
    const { data, errors } = parseForm(deleteAccountForm, form);
    if (errors) return refuseDeletion(400, errors);
    const outcome = await deleteAccount(event, session, data.password);
    if (outcome === 'wrong-password') return refuseDeletion(400, { password: formWords.password.wrong });
    if (outcome !== 'deleted') return refuseDeletion(429, { password: retryAfter(event, outcome) });
    redirect(303, '/login?notice=account-deleted');
  }),
} satisfies Actions;

function refuseChange(status: number, errors: FieldErrors<'currentPassword' | 'newPassword'>) {
  return fail(status, { changePassword: { errors, message: undefined } });
}

function refuseDeletion(status: number, errors: FieldErrors<'password'>) {
  return fail(status, { deleteAccount: { errors } });
}
