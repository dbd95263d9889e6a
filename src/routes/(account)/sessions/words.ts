import { isolated } from '$lib/isolated';

/** The words of the sessions page. */
export const words = {
  title: 'Sessions',
  intro:
    'Where your account is signed in. End any session that you do not recognise, then change your password.',
  row: {
    thisDevice: 'This device',
    isNew: 'New',
    sinceLastVisit: 'since your last visit',
    signedIn: 'Signed in',
    lastActive: 'Last active',
    activeNow: 'Active now',
    moved: 'Moved',
    bound: 'Bound to this device',
    several: (count: number) => `${count} sessions`,
  },
  current: 'This device',
  others: 'Other sessions',
  /** Followed by "3 days ago". */
  newSince: (count: number) => `${count} new since your last visit,`,
  none: 'You are signed in on this device only.',
  unlisted: 'The others cannot be listed right now. They can be ended all the same.',
  end: 'End session',
  endOne: (session: string) => `for ${session}`,
  /** `count` is "1000+" where there may be more, and `null` where they cannot be listed. */
  endOthers: {
    label: (count: number | string | null) =>
      count === 1 ? 'End the other session' : `End all ${count === null ? '' : `${count} `}others`,
    title: (count: number | string | null) =>
      count === 1 ? 'End the other session?' : `End all ${count === null ? '' : `${count} `}other sessions?`,
    text: (count: number | string | null) =>
      `${count === 1 ? 'That device has' : 'Those devices have'} to sign in again. This device stays signed in.`,
    confirm: (count: number | string | null) =>
      count === 1 ? 'End session' : count === null ? 'End all others' : `End ${count} sessions`,
  },
  /** Of a group of sessions, or those that a search found. */
  endThese: {
    label: (count: number) => `End these ${count}`,
    title: (count: number) => `End these ${count} sessions?`,
    text: 'Those devices have to sign in again. This device stays signed in.',
    confirm: (count: number) => `End ${count} sessions`,
  },
  rename: {
    label: 'Rename',
    of: (session: string) => `the session of ${session}`,
    name: 'Name',
    hint: 'Up to 40 characters. Leave it empty for no name.',
    save: 'Save',
  },
  /** What the password is asked for. */
  thenEnds: (session: string) => `Then this session ends: ${session}.`,
  find: {
    label: 'Find a session',
    hint: 'Name, browser, system or place',
    submit: 'Find',
    found: (count: number, all: number) => `${count} of ${all} sessions`,
    none: 'No session matches.',
  },
  groups: {
    moved: 'Used from elsewhere',
    day: 'Active in the last 24 hours',
    week: 'Active in the last 7 days',
    earlier: 'Active before that',
  },
  everywhere: {
    heading: 'Sign out everywhere',
    text: 'Signs you out on all devices, including this one.',
    label: 'Sign out everywhere',
    title: 'Sign out everywhere?',
    dialog: 'You have to sign in again on each device.',
    confirm: 'Sign out everywhere',
  },
  /** Followed by "in 29 days". */
  endsUnused: 'Unused, the session on this device ends',
  about: [
    'An ended session cannot open an account page or change anything. A public page may still show your name, for 60 seconds at most.',
    'Last active is accurate to the hour.',
  ],
};

/** What the page's actions answer. */
export const answers = {
  /** `session` is null where it had ended before, and nothing is left of it here. */
  ended: (session: string | null) => (session ? `Ended: ${session}.` : 'That session has ended.'),
  unknown: 'That session is not in your list. It may have ended already.',
  someEnded: (count: number) => `Ended ${count} ${count === 1 ? 'session' : 'sessions'}.`,
  someUnknown: 'None of those sessions is in your list. They may have ended already.',
  /** `count` is null where KV could not tell how many there were. */
  othersEnded: (count: number | null) => {
    if (count === null) return 'Ended all your other sessions.';
    if (count === 0) return 'You had no other sessions.';
    return `Ended ${count} other ${count === 1 ? 'session' : 'sessions'}.`;
  },
  /** Of more sessions than are shown. `more`: there may be more than `count`, which are those that the app looked at. */
  cut: (shown: number, count: number, more: boolean) =>
    `These are the ${shown} last used of ${count}${more ? ' that we looked at; there may be more' : ''}. Ending all others also ends those that are not shown.`,
  named: (name: string) => `Session named “${isolated(name)}”.`,
  nameRemoved: 'Name removed.',
  samplesAdded: 'Sample devices added. End one, or remove them all.',
  samplesRemoved: 'The sample devices are gone.',
};
