import { error, fail, redirect, type RequestEvent as AnyEvent } from '@sveltejs/kit';
import { accountAction } from '$lib/server/http/action';
import { moveAnswerForm, parseForm } from '$lib/server/http/form';
import { guarded } from '$lib/server/http/guards';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import type { Wait } from '$lib/words/throttled';
import { changePassword } from '../../account/change-password';
import { requireFreshProof, requireNewProof, type StepUpPrompt } from '../step-up';
import type { Actions, PageServerLoadEvent, RequestEvent } from './$types';

const UNKNOWN = 'You have no session of that address. It may have ended long ago.';

/** Loads one of the user's sign-ins, by any id that its session has had. */
export const load = guarded(async ({ locals, params, url }: PageServerLoadEvent) => {
  const { current, sessions } = locals.auth;
  const asking = await current.require();
  const story = (await sessions.story(asking, params.id)) ?? error(404, UNKNOWN);
  const { ended, deniedAt, passwordChangedAt } = story;
  const suspectedAt = Math.max(ended?.reason === 'revoked' ? ended.at : 0, deniedAt ?? 0);
  return {
    story,
    username: asking.user.username,
    /** True if somebody else may know the password: the user said so and has not changed it since. */
    offersPassword:
      (suspectedAt > 0 || url.searchParams.has('new-password')) && suspectedAt >= (passwordChangedAt ?? 0),
  };
});

export const actions = {
  /**
   * Ends the session and then offers a new password. If it is the current session, it gets a new token instead, so that a copy of its
   * cookie stops working.
   */
  notMe: accountAction(async (event: RequestEvent, form) => {
    const { sessions } = event.locals.auth;
    const { id } = event.params;
    const { asking, isOwn, seen } = await asked(event, form);
    const { session, refusal } = await prove(event, asking, form, { action: 'notMe', seen }, isOwn);
    if (refusal) return refusal;
    if (isOwn) await sessions.answerMoves(session, { sessionId: id, type: 'move-denied', seen });
    else if ((await sessions.disown(session, id)) === 'unknown') error(404, UNKNOWN);
    redirect(303, `/sessions/${id}?new-password`);
  }, throttled),

  /** Records that the move was the user's own. Its mark disappears. */
  wasMe: accountAction(async (event: RequestEvent, form) => {
    const { sessions } = event.locals.auth;
    const { id } = event.params;
    const { asking, isOwn, seen } = await asked(event, form);
    const { session, refusal } = await prove(event, asking, form, { action: 'wasMe', seen }, isOwn);
    if (refusal) return refusal;
    if (!(await sessions.answerMoves(session, { sessionId: id, type: 'move-accepted', seen }))) {
      return fail(409, { error: 'It was used from somewhere else meanwhile. Look at it again.' });
    }
    redirect(303, `/sessions/${id}`);
  }, throttled),

  changePassword,
} satisfies Actions;

function throttled(error: Wait) {
  return { error };
}

/** Returns the current session, and whether the answer is about that session. */
async function asked({ locals, params }: RequestEvent, form: FormData) {
  const { current, sessions } = locals.auth;
  const asking = await current.require();
  const story = (await sessions.story(asking, params.id)) ?? error(404, UNKNOWN);
  const { data } = parseForm(moveAnswerForm, form);
  return { asking, isOwn: story.session?.current ?? false, seen: data?.seen ?? 0 };
}

/** Anyone with a copy of a cookie also has its proof of the password. An answer about the current session therefore always needs the password. */
function prove<const Action extends string>(
  event: AnyEvent,
  asking: ConfirmedSession,
  form: FormData,
  prompt: StepUpPrompt<Action>,
  isOwn: boolean,
) {
  return (isOwn ? requireNewProof : requireFreshProof)(event, asking, form, prompt);
}
