import { isolated } from '$lib/isolated';

/** The messages of the page's actions. */
export const answers = {
  /** `session` is null if it had ended before and no record of it is left. */
  ended: (session: string | null) => (session ? `Ended: ${session}.` : 'That session has ended.'),
  unknown: 'That session is not in your list. It may have ended already.',
  someEnded: (count: number) => `Ended ${count} ${count === 1 ? 'session' : 'sessions'}.`,
  someUnknown: 'None of those sessions is in your list. They may have ended already.',
  /** `count` is null if KV could not count them. */
  othersEnded: (count: number | null) => {
    if (count === null) return 'Ended all your other sessions.';
    if (count === 0) return 'Ended all your other sessions. None of them was listed here.';
    return `Ended ${count} other ${count === 1 ? 'session' : 'sessions'}.`;
  },
  /** Shown when not all sessions are. `count` is the number that the app looked at. `more`: there may be more than that. */
  cut: (shown: number, count: number, more: boolean) =>
    `These are the ${shown} last used of ${count}${more ? ' that we looked at; there may be more' : ''}. Ending all others also ends those that are not shown.`,
  named: (name: string) => `Session named “${isolated(name)}”.`,
  nameRemoved: 'Name removed.',
  samplesAdded: 'Sample devices added. End one, or remove them all.',
  samplesRemoved: 'The sample devices are gone.',
};
