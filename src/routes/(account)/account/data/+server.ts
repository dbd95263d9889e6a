import { listEventsForDownload } from '$lib/server/auth/events';
import { EVENTS_IN_DOWNLOAD_MAX } from '$lib/server/auth/policy';
import { requireSession } from '$lib/server/auth/guards';
import { listSessions } from '$lib/server/auth/sessions';
import { failClosed } from '$lib/server/fail-closed';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** Everything kept about the account, as a JSON file; no password hash and no token. */
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
    ...(list.more && { sessionsNote: `Only ${list.sessions.length} of your sessions are in this file.` }),
    activity: activity.events,
    ...(activity.more && {
      activityNote: `Only the last ${EVENTS_IN_DOWNLOAD_MAX} events are in this file. The activity page shows the earlier ones.`,
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
