import { listEventsForDownload } from '$lib/server/sessions/activity';
import { EVENTS_IN_DOWNLOAD_MAX } from '$lib/server/policy';
import { guarded } from '$lib/server/http/guards';
import { isTableDown } from '$lib/server/stores/guarded';
import type { RequestEvent } from './$types';

/** The notes in the downloaded file about what it leaves out. */
const words = {
  sessionsUnlisted:
    'Only this session is in this file: the others cannot be listed right now. Download it again later.',
  sessionsLeftOut: (count: number) => `Only ${count} of your sessions are in this file.`,
  activityUnread: 'Your activity cannot be read right now. Download this file again later.',
  activityLeftOut: (count: number) =>
    `Only the last ${count} events are in this file. The activity page shows the earlier ones.`,
};

export const trailingSlash = 'ignore';

/**
 * Returns the account's data as a JSON file, without password hash and tokens. It contains at most the newest `EVENTS_IN_DOWNLOAD_MAX`
 * events and the first `SESSIONS_LISTED_MAX` sessions in the order of KV's list. Data that cannot be read right now is left out. The file
 * says so in each case.
 */
async function download({ locals }: RequestEvent): Promise<Response> {
  const { current, sessions, accounts } = locals.auth;
  const session = await current.require();
  const { userId, username } = session.user;
  const [createdAt, list, activity] = await Promise.all([
    accounts.createdAt(userId),
    sessions.list(session),
    listEventsForDownload(locals.stores.db, userId).catch((error: unknown) => {
      if (isTableDown(error, 'SecurityEvent')) return null;
      throw error;
    }),
  ]);
  const data = {
    account: { id: userId, username, createdAt },
    sessions: list.sessions,
    ...(list.more && { sessionsNote: words.sessionsLeftOut(list.sessions.length) }),
    ...(list.unlisted && { sessionsNote: words.sessionsUnlisted }),
    activity: activity?.events ?? [],
    ...(activity?.more && { activityNote: words.activityLeftOut(EVENTS_IN_DOWNLOAD_MAX) }),
    ...(!activity && { activityNote: words.activityUnread }),
  };
  return new Response(JSON.stringify(data, readableTime, 2), {
    headers: {
      'content-type': 'application/json',
      'content-disposition': `attachment; filename="${fileName(username)}-data.json"`,
    },
  });
}

/** After signing in, the user returns to a page and not to a download that starts by itself. */
export const GET = guarded(download, { comeBackTo: '/account' });

/** Replaces characters that the header may not contain. The app's usernames contain none of them. */
function fileName(username: string): string {
  return username.replace(/[^\w.-]/g, '_');
}

/** Writes times in ISO 8601, because people read the file. */
function readableTime(key: string, value: unknown): unknown {
  return typeof value === 'number' && /(^a|A)t$/.test(key) ? new Date(value).toISOString() : value;
}
