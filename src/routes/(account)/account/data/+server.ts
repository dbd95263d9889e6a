import { listEventsForDownload } from '$lib/server/auth/events';
import { EVENTS_IN_DOWNLOAD_MAX } from '$lib/server/auth/policy';
import { requireSession } from '$lib/server/auth/guards';
import { listSessions } from '$lib/server/auth/sessions';
import { failClosed } from '$lib/server/fail-closed';
import { download } from '../words';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/**
 * What is kept about the account, as a JSON file; no password hash and no token. Of more than `EVENTS_IN_DOWNLOAD_MAX` events it holds the
 * newest, of more than `SESSIONS_LISTED_MAX` sessions those that KV lists first; then it says so.
 */
export const GET = failClosed(async (event: RequestEvent) => {
  // After signing in, a page and not a file that is saved without a word.
  const session = await requireSession(event, '/account');
  const { auth } = event.locals;
  const { userId, username } = session.user;
  const [createdAt, list, activity] = await Promise.all([
    auth.ledger.accountCreatedAt(userId),
    listSessions(event, session),
    listEventsForDownload(auth.stores.db, userId),
  ]);
  const data = {
    account: { id: userId, username, createdAt },
    sessions: list.sessions,
    ...(list.more && { sessionsNote: download.sessionsLeftOut(list.sessions.length) }),
    activity: activity.events,
    ...(activity.more && {
      activityNote: download.activityLeftOut(EVENTS_IN_DOWNLOAD_MAX),
    }),
  };
  return new Response(JSON.stringify(data, readableTime, 2), {
    headers: {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="${username}-data.json"`,
    },
  });
});

/** Times in ISO 8601: people read the file. */
function readableTime(key: string, value: unknown): unknown {
  return typeof value === 'number' && /(^a|A)t$/.test(key) ? new Date(value).toISOString() : value;
}
