import { thenEnds } from '$lib/words/device';

/** Whether a use of one's session was one's own. Each is an action of the session's own page. */
export type MoveAnswer = 'notMe' | 'wasMe';

/** On the button that says so. */
export const moveAnswers: Record<MoveAnswer, string> = { notMe: "This wasn't me", wasMe: 'This was me' };

/** What an answer does. `own`: it is about the session that says so; `which`: the session in words. */
export function effectOf(answer: MoveAnswer, own: boolean, which: string): string {
  if (answer === 'wasMe') return 'Then the mark goes from this session.';
  return own ? 'Then every copy of this device’s cookie stops, and this device goes on.' : thenEnds(which);
}
