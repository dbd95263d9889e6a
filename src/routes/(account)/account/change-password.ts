import { fail, type RequestEvent } from '@sveltejs/kit';
import { checkPassword } from '$lib/server/accounts/password-policy';
import { accountAction } from '$lib/server/http/action';
import { changePasswordForm, parseForm, type FieldErrors } from '$lib/server/http/form';
import { form as formWords } from '$lib/words/form';
import type { ErrorText } from '$lib/words/throttled';

/** The action that `ChangePasswordForm` posts to. Every page with that form must have it. */
export const changePassword = accountAction(
  async ({ locals }: RequestEvent, form) => {
    const { current, accounts } = locals.auth;
    const session = await current.require();
    const { data, errors } = parseForm(changePasswordForm, form);
    if (errors) return refuse(errors);
    const weakness = await checkPassword({
      username: session.user.username,
      password: data.newPassword,
      isBreached: locals.isBreached,
    });
    if (weakness) return refuse({ newPassword: formWords.newPassword[weakness] });
    const outcome = await accounts.changePassword(session, data.currentPassword, data.newPassword);
    if (outcome === 'wrong-password') return refuse({ currentPassword: formWords.password.wrong });
    if (outcome === 'same-password') return refuse({ newPassword: formWords.newPassword.same });
    return { changePassword: { errors: undefined, message: passwordChanged(outcome.endedOthers) } };
  },
  (currentPassword) => withErrors({ currentPassword }),
);

/** `endedOthers` is null if it is not known how many there were. */
function passwordChanged(endedOthers: number | null): string {
  if (endedOthers === 0) return 'Password changed.';
  if (endedOthers === null) return 'Password changed. Ended all your other sessions.';
  return `Password changed. Ended ${endedOthers} other ${endedOthers === 1 ? 'session' : 'sessions'}.`;
}

function refuse(errors: FieldErrors<'currentPassword' | 'newPassword'>) {
  return fail(400, withErrors(errors));
}

function withErrors(errors: FieldErrors<'currentPassword' | 'newPassword', ErrorText>) {
  return { changePassword: { errors, message: undefined } };
}
