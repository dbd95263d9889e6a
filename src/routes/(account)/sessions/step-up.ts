import { fail, type ActionFailure, type RequestEvent } from '@sveltejs/kit';
import { retryAfter } from '$lib/server/http/retry-after';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import type { ProvenSession } from '$lib/server/sessions/proof';
import { Throttled } from '$lib/server/throttle/throttle';
import { form as words } from '$lib/words/form';

/** What the page asks the password for again, so that the form can go on with it. */
export type StepUpPrompt = {
  action: 'revoke' | 'revokeOthers' | 'revokeAll';
  /** The session that `revoke` is about. */
  sessionId?: string;
  error?: string;
};

type Proof =
  | { session: ProvenSession; refusal?: undefined }
  | { session?: undefined; refusal: ActionFailure<{ stepUp: StepUpPrompt }> };

/**
 * The session with a proof of the password that is fresh enough to end others. Without one, a refusal to return from
 * the action: the page shows a password field, and its form sends what was asked once more, with `password`.
 */
export async function requireFreshProof(
  event: RequestEvent,
  session: ConfirmedSession,
  form: FormData,
  prompt: StepUpPrompt,
): Promise<Proof> {
  const { accounts } = event.locals.auth;
  const fresh = accounts.freshProof(session);
  if (fresh) return { session: fresh };
  const password = form.get('password');
  if (typeof password !== 'string' || password === '') return { refusal: fail(403, { stepUp: prompt }) };
  const refuse = (status: number, error: string) => ({
    refusal: fail(status, { stepUp: { ...prompt, error } }),
  });
  try {
    const outcome = await accounts.prove(session, password);
    return outcome === 'wrong-password' ? refuse(400, words.password.wrong) : { session: outcome };
  } catch (thrown) {
    if (thrown instanceof Throttled) return refuse(429, retryAfter(event, thrown));
    throw thrown;
  }
}
