import { fail, redirect } from '@sveltejs/kit';
import { accountAction } from '$lib/server/http/action';
import { leaveNotice } from '$lib/server/http/flash';
import { deleteAccountForm, parseForm, type FieldErrors } from '$lib/server/http/form';
import { clearSiteData, guarded } from '$lib/server/http/guards';
import { SessionEnded } from '$lib/server/sessions/confirmed';
import { countOf } from '$lib/server/sessions/list';
import { form as formWords } from '$lib/words/form';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';
import { changePassword } from './change-password';

export const load = guarded(async ({ locals }: PageServerLoadEvent) => {
  const { current, sessions, accounts } = locals.auth;
  const session = await current.require();
  const { userId, username } = session.user;
  const [createdAt, listed] = await Promise.all([accounts.createdAt(userId), sessions.others(session)]);
  if (createdAt === null) throw new SessionEnded();
  const others = countOf(listed);
  return { username, createdAt, sessionCount: others === null ? null : others + 1 };
});

export const actions = {
  changePassword,

  deleteAccount: accountAction(
    async (event: RequestEvent, form) => {
      const { current, accounts } = event.locals.auth;
      const session = await current.require();
      const { data, errors } = parseForm(deleteAccountForm, form);
      if (errors) return refuseDeletion(errors);
      const outcome = await accounts.delete(session, data.password);
      if (outcome === 'wrong-password') return refuseDeletion({ password: formWords.password.wrong });
      clearSiteData(event);
      leaveNotice(event, 'account-deleted');
      redirect(303, '/login');
    },
    (password) => ({ deleteAccount: { errors: { password } } }),
  ),
} satisfies Actions;

function refuseDeletion(errors: FieldErrors<'password'>) {
  return fail(400, { deleteAccount: { errors } });
}
