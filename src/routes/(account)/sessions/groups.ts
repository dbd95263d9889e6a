import { withoutVersion } from '$lib/browser-family';
import type { SessionView } from '$lib/session-view';

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

/** First the sessions that were used from elsewhere, then the others by time since their last activity, the most recent group first. */
const GROUPS = [
  { name: 'moved', within: -Infinity },
  { name: 'day', within: DAY_MILLISECONDS },
  { name: 'week', within: 7 * DAY_MILLISECONDS },
  { name: 'earlier', within: Infinity },
] as const;

/** As many rows as fit on a screen. A group that begins after them is closed. */
const OPEN_ROWS_MAX = 30;
/** Two similar sessions are quickly read. From this number on, they become one row with a count. */
const ALIKE_MIN = 3;

/** One row of the page: a session, or several similar ones. */
export type Alike = { first: SessionView; all: SessionView[] };

export type Group = {
  name: (typeof GROUPS)[number]['name'];
  sessions: SessionView[];
  /** False for the oldest group, and for groups that would make the page long. */
  open: boolean;
};

/**
 * Groups sessions by when they were last active. The order of the list is kept, and empty groups are left out. The limits are distances
 * from `now` (epoch milliseconds), because calendar days would depend on the reader's time zone.
 */
export function groupByLastActive(sessions: SessionView[], now: number): Group[] {
  let rows = 0;
  const nameOf = ({ lastActiveAt, moved }: SessionView) =>
    moved.length > 0 ? 'moved' : GROUPS.find(({ within }) => now - lastActiveAt < within)?.name;
  return GROUPS.map(({ name }) => {
    const ofGroup = sessions.filter((session) => nameOf(session) === name);
    const isFirst = rows === 0;
    rows += likeSessions(ofGroup).length;
    return { name, sessions: ofGroup, open: name !== 'earlier' && (isFirst || rows <= OPEN_ROWS_MAX) };
  }).filter((group) => group.sessions.length > 0);
}

/**
 * Puts sessions together that differ only in their times: the same browser, system, kind of device and place. The order of the list is
 * kept. A session with a name, or one that was used from elsewhere, stays on its own.
 */
export function likeSessions(sessions: SessionView[]): Alike[] {
  const alike = new Map<string, Alike>();
  for (const session of sessions) {
    const { id, name, moved, device, place } = session;
    const key = name !== null || moved.length > 0 ? id : JSON.stringify([withoutVersion(device), place]);
    const known = alike.get(key);
    if (known) known.all.push(session);
    else alike.set(key, { first: session, all: [session] });
  }
  const at = new Map(sessions.map(({ id }, index) => [id, index]));
  const order = ({ first }: Alike) => at.get(first.id) ?? 0;
  return [...alike.values()]
    .flatMap((one) =>
      one.all.length < ALIKE_MIN ? one.all.map((first) => ({ first, all: [first] })) : [one],
    )
    .sort((a, b) => order(a) - order(b));
}
