import { fail, type ActionFailure, type RequestEvent } from '@sveltejs/kit';
import { retryAfter } from '$lib/server/http/retry-after';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import type { ProvenSession } from '$lib/server/sessions/proof';
import { Throttled } from '$lib/server/throttle/throttle';
import { form as words } from '$lib/words/form';
import type { ErrorText } from '$lib/words/throttled';

/** What the page needs to ask for the password and to send the form again. */
export type StepUpPrompt<Action extends string> = {
  action: Action;
  /** Only for `revoke`: the session to end. */
  sessionId?: string;
  /** Only for `revokeSome`: the sessions to end. */
  sessionIds?: string[];
  /** Only for `wasMe` and `notMe`: the event id of the latest move that the user saw. */
  seen?: number;
  error?: ErrorText;
};

type Proof<Action extends string> =
  | { session: ProvenSession; refusal?: undefined }
  | { session?: undefined; refusal: ActionFailure<{ stepUp: StepUpPrompt<Action> }> };

/**
 * Returns the session if its proof of the password is fresh enough to end other sessions. Otherwise returns a refusal, which the action
 * must return. The page then shows a password field, and its form sends the same fields again with `password`.
 */
export async function requireFreshProof<const Action extends string>(
  event: RequestEvent,
  session: ConfirmedSession,
  form: FormData,
  prompt: StepUpPrompt<Action>,
): Promise<Proof<Action>> {
  const fresh = event.locals.auth.accounts.freshProof(session);
  return fresh ? { session: fresh } : requireNewProof(event, session, form, prompt);
}

/** Like `requireFreshProof`, but an earlier proof is not enough. Anyone with a copy of the cookie also has that proof. */
export async function requireNewProof<const Action extends string>(
  event: RequestEvent,
  session: ConfirmedSession,
  form: FormData,
  prompt: StepUpPrompt<Action>,
): Promise<Proof<Action>> {
  const { accounts } = event.locals.auth;
  const password = form.get('password');
  if (typeof password !== 'string') return { refusal: fail(403, { stepUp: prompt }) };
  const refuse = (status: number, error: ErrorText) => ({
    refusal: fail(status, { stepUp: { ...prompt, error } }),
  });
  if (password === '') return refuse(400, words.password.missing);
  try {
    const outcome = await accounts.prove(session, password);
    return outcome === 'wrong-password' ? refuse(400, words.password.wrong) : { session: outcome };
  } catch (thrown) {
    if (thrown instanceof Throttled) return refuse(429, retryAfter(event, thrown));
    throw thrown;
  }
}
