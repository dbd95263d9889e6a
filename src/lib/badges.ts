/** The badges shown beside a session's name in the lists. A user may not choose a name that looks like one of them. */
export const BADGES = ['This device', 'This session', 'New', 'Moved', 'Bound to this device'] as const;
