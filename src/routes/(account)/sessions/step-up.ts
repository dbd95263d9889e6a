import { fail, type ActionFailure, type RequestEvent } from '@sveltejs/kit';
import { retryAfter } from '$lib/server/http/retry-after';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import type { ProvenSession } from '$lib/server/sessions/proof';
import { Throttled } from '$lib/server/throttle/throttle';
import { form as words } from '$lib/words/form';
import type { ErrorText } from '$lib/words/throttled';

/** What the page asks the password for again, so that the form can go on with it. */
export type StepUpPrompt<Action extends string> = {
  action: Action;
  /** The session that `revoke` is about. */
  sessionId?: string;
  /** The sessions that `revokeSome` is about. */
  sessionIds?: string[];
  /** The latest use elsewhere that `wasMe` and `notMe` are about: the id of its event. */
  seen?: number;
  error?: ErrorText;
};

type Proof<Action extends string> =
  | { session: ProvenSession; refusal?: undefined }
  | { session?: undefined; refusal: ActionFailure<{ stepUp: StepUpPrompt<Action> }> };

/**
 * The session with a proof of the password that is fresh enough to end others. Without one, a refusal to return from
 * the action: the page shows a password field, and its form sends what was asked once more, with `password`.
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

/** The same, for what an earlier proof does not do for: who has a copy of the cookie has that proof as well. */
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
