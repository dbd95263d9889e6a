import type { SessionView } from '$lib/session-view';

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

/** First those that were used elsewhere; the others by how long ago they were last active, the nearest group first. */
const GROUPS = [
  { name: 'moved', within: -Infinity },
  { name: 'day', within: DAY_MILLISECONDS },
  { name: 'week', within: 7 * DAY_MILLISECONDS },
  { name: 'earlier', within: Infinity },
] as const;

export type Group = {
  name: (typeof GROUPS)[number]['name'];
  /** How many sessions the groups before it have. */
  start: number;
  sessions: SessionView[];
};

/**
 * Sessions by when they were last active: the order stays that of the list, and a group without sessions is left out. By distance
 * from `now` (epoch milliseconds) and not by calendar day, which would depend on the reader's time zone.
 */
export function groupByLastActive(sessions: SessionView[], now: number): Group[] {
  let start = 0;
  const nameOf = ({ lastActiveAt, moved }: SessionView) =>
    moved.length > 0 ? 'moved' : GROUPS.find(({ within }) => now - lastActiveAt < within)?.name;
  return GROUPS.map(({ name }) => {
    const group = { name, start, sessions: sessions.filter((session) => nameOf(session) === name) };
    start += group.sessions.length;
    return group;
  }).filter((group) => group.sessions.length > 0);
}
