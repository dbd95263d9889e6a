import type { ConfirmedSession } from '../sessions/confirmed';
import type { GuardedEvent } from './guards';

/**
 * Returns the user that this browser is signed in as, if the form was made for another user (its field `userId`). This happens when two
 * people, or two accounts of one person, share a browser: one signs in in another tab, and a form that is still open would change the wrong
 * account. `null` if the users match or the form has no such field. The session cookie names its owner, so a match needs no store. On a
 * mismatch the session is confirmed first, because the response names the other user. Throws `SessionEnded`.
 */
export async function signedInAsAnother(
  { locals }: Pick<GuardedEvent, 'locals'>,
  form: FormData,
): Promise<ConfirmedSession['user'] | null> {
  const madeFor = form.get('userId');
  const { presented } = locals.facts;
  if (typeof madeFor !== 'string' || !presented || presented.userId === madeFor) return null;
  return (await locals.auth.current.require()).user;
}
