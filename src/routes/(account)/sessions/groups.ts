import { withoutVersion } from '$lib/browser-family';
import type { SessionView } from '$lib/session-view';

const DAY_MILLISECONDS = 24 * 60 * 60 * 1_000;

/** First those that were used elsewhere; the others by how long ago they were last active, the nearest group first. */
const GROUPS = [
  { name: 'moved', within: -Infinity },
  { name: 'day', within: DAY_MILLISECONDS },
  { name: 'week', within: 7 * DAY_MILLISECONDS },
  { name: 'earlier', within: Infinity },
] as const;

/** As many rows as fit under a person's eyes: a group that comes after them is closed. */
const OPEN_ROWS_MAX = 30;
/** Two like sessions are soon read; of more, one row says how many. */
const ALIKE_MIN = 3;

/** One row of the page: a session, or several like it. */
export type Alike = { first: SessionView; all: SessionView[] };

export type Group = {
  name: (typeof GROUPS)[number]['name'];
  sessions: SessionView[];
  /** The oldest one is closed, and what would make the page long. */
  open: boolean;
};

/**
 * Sessions by when they were last active: the order stays that of the list, and a group without sessions is left out. By distance
 * from `now` (epoch milliseconds) and not by calendar day, which would depend on the reader's time zone.
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
 * Sessions in the order of their list, those together that cannot be told apart but by their times: the same browser, system, kind of device and
 * place. One that has a name, or was used elsewhere, stands for itself.
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
