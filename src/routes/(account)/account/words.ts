import { isolated } from '$lib/isolated';

/** The words of the account page. */
export const words = {
  title: 'Account',
  profile: { heading: 'Profile', username: 'Username', created: 'Signed up', sessions: 'Sessions' },
  data: { label: 'Download my data', text: 'Account, sessions and activity, as one JSON file.' },
  sessionCount: (count: number) => (count === 1 ? '1 session, this one' : `${count} sessions`),
  sessionsUnknown: 'See your sessions',
  password: {
    heading: 'Change password',
    text: 'Every other session ends at once. This device stays signed in.',
    current: 'Current password',
    new: 'New password',
    newHint: 'At least 8 characters; 15 or more are better. Spaces and symbols are fine.',
    submit: 'Change password',
  },
  remove: {
    heading: 'Delete account',
    text: 'Ends every session and deletes everything this site keeps about you. This cannot be undone.',
    password: 'Your password',
    label: 'Delete account',
    title: (username: string) => `Delete the account ${isolated(username)}?`,
    dialog: 'Every session ends and all your data is deleted. This cannot be undone.',
    confirm: 'Delete for good',
  },
};

/** What the file with one's data says of what it leaves out. */
export const download = {
  sessionsUnlisted:
    'Only this session is in this file: the others cannot be listed right now. Download it again later.',
  sessionsLeftOut: (count: number) => `Only ${count} of your sessions are in this file.`,
  activityUnread: 'Your activity cannot be read right now. Download this file again later.',
  activityLeftOut: (count: number) =>
    `Only the last ${count} events are in this file. The activity page shows the earlier ones.`,
};

/** What the page's actions answer. */
export const answers = {
  /** `endedOthers` is null where KV could not tell how many there were. */
  passwordChanged: (endedOthers: number | null) => {
    if (endedOthers === 0) return 'Password changed.';
    if (endedOthers === null) return 'Password changed. Ended all your other sessions.';
    return `Password changed. Ended ${endedOthers} other ${endedOthers === 1 ? 'session' : 'sessions'}.`;
  },
};
