import { listEventsForDownload } from '$lib/server/sessions/activity';
import { EVENTS_IN_DOWNLOAD_MAX } from '$lib/server/policy';
import { guarded } from '$lib/server/http/guards';
import { isTableDown } from '$lib/server/stores/guarded';
import type { RequestEvent } from './$types';

/** What the file with one's data says of what it leaves out. */
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
 * What is kept about the account, as a JSON file; no password hash and no token. Of more than `EVENTS_IN_DOWNLOAD_MAX` events it holds the
 * newest, of more than `SESSIONS_LISTED_MAX` sessions those that KV lists first, and what cannot be read right now is left out; then it says so.
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

/** After signing in one comes back to a page, and not to a file that is saved without a word. */
export const GET = guarded(download, { comeBackTo: '/account' });

/** A header takes no other characters, and no username of ours has any. */
function fileName(username: string): string {
  return username.replace(/[^\w.-]/g, '_');
}

/** Times in ISO 8601: people read the file. */
function readableTime(key: string, value: unknown): unknown {
  return typeof value === 'number' && /(^a|A)t$/.test(key) ? new Date(value).toISOString() : value;
}
