import { fail, type ActionFailure, type RequestEvent } from '@sveltejs/kit';
import type { Session } from 'lucia';
import { form as words } from '$lib/words/form';
import { isProofFresh, stepUp } from '$lib/server/accounts/accounts';
import { retryAfter } from '$lib/server/http/retry-after';

/** What the page asks the password for again, so that the form can go on with it. */
export type StepUpPrompt = {
  action: 'revoke' | 'revokeOthers' | 'revokeAll';
  /** The session that `revoke` is about. */
  sessionId?: string;
  error?: string;
};

type Proof =
  | { session: Session; refusal?: undefined }
  | { session?: undefined; refusal: ActionFailure<{ stepUp: StepUpPrompt }> };

/**
 * The session with a proof of the password that is fresh enough to end others. Without one, a refusal to return from
 * the action: the page shows a password field, and its form sends what was asked once more, with `password`.
 */
export async function requireFreshProof(
  event: RequestEvent,
  session: Session,
  form: FormData,
  prompt: StepUpPrompt,
): Promise<Proof> {
  if (isProofFresh(session)) return { session };
  const password = form.get('password');
  if (typeof password !== 'string' || password === '') return { refusal: fail(403, { stepUp: prompt }) };
  const outcome = await stepUp(event, session, password);
  if (outcome === 'wrong-password') {
    return { refusal: fail(400, { stepUp: { ...prompt, error: words.password.wrong } }) };
  }
  if ('retryAfterSeconds' in outcome) {
    return { refusal: fail(429, { stepUp: { ...prompt, error: retryAfter(event, outcome) } }) };
  }
  return outcome;
}
