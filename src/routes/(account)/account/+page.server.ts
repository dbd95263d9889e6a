import { fail, redirect } from '@sveltejs/kit';
import { changePassword, deleteAccount } from '$lib/server/auth/accounts';
import { requireSession } from '$lib/server/auth/guards';
import { failClosed } from '$lib/server/fail-closed';
import { changePasswordForm, deleteAccountForm, parseForm } from '$lib/server/forms';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

export const load = failClosed(async (event: PageServerLoadEvent) => {
  const { user } = await requireSession(event);
  return { username: user.username };
});

const WRONG_PASSWORD = 'That is not your password.';

export const actions = {
  changePassword: failClosed(async (event: RequestEvent) => {
    const session = await requireSession(event);
    const { data, errors } = parseForm(changePasswordForm, await event.request.formData());
    if (errors) return fail(400, { changePassword: { errors } });
    const outcome = await changePassword(event, session, data.currentPassword, data.newPassword);
    if (outcome === 'wrong-password') {
      return fail(400, { changePassword: { errors: { currentPassword: WRONG_PASSWORD } } });
    }
    return { changePassword: { message: passwordChanged(outcome.endedOthers) } };
  }),

  deleteAccount: failClosed(async (event: RequestEvent) => {
    const session = await requireSession(event);
    const { data, errors } = parseForm(deleteAccountForm, await event.request.formData());
    if (errors) return fail(400, { deleteAccount: { errors } });
    if ((await deleteAccount(event, session, data.password)) === 'wrong-password') {
      return fail(400, { deleteAccount: { errors: { password: WRONG_PASSWORD } } });
    }
    redirect(303, '/login?notice=account-deleted');
  }),
} satisfies Actions;

function passwordChanged(endedOthers: number | null): string {
  const others =
    endedOthers === null
      ? 'Your other sessions'
      : endedOthers === 1
        ? '1 other session'
        : `${endedOthers} other sessions`;
  return endedOthers === 0 ? 'Password changed.' : `Password changed. ${others} ended everywhere now.`;
}
