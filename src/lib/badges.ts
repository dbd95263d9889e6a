/** What stands beside a session's name in the lists, in our own words: no name may be taken for one. */
export const BADGES = ['This device', 'This session', 'New', 'Moved', 'Bound to this device'] as const;
