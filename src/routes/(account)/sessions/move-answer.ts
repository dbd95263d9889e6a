import { thenEnds } from '$lib/words/device';

/** The user's answer to whether a use of a session was their own. Each is an action on the session's page. */
export type MoveAnswer = 'notMe' | 'wasMe';

/** The labels of the two buttons. */
export const moveAnswers: Record<MoveAnswer, string> = { notMe: "This wasn't me", wasMe: 'This was me' };

/** Says what an answer will do. `own`: it is about the current session; `which`: the session, in words. */
export function effectOf(answer: MoveAnswer, own: boolean, which: string): string {
  if (answer === 'wasMe') return 'Then the mark is removed from this session.';
  return own
    ? 'Then every copy of this device’s cookie stops working, and this device stays signed in.'
    : thenEnds(which);
}
