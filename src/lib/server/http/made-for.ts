import type { ConfirmedSession } from '../sessions/confirmed';
import type { GuardedEvent } from './guards';

/**
 * The user that this browser is signed in as, when a form of the request was made for another one: its field `userId` says for whom. Two
 * people, or two accounts of one, share a browser: one signs in in another tab, and a form that is still open would change the wrong account.
 * `null` when it fits, and when the form does not say. The cookie names its owner, so nothing is asked for where it fits; what the answer tells
 * of the other one is told to a session that stands. Throws `SessionEnded`.
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
