import { json } from '@sveltejs/kit';
import { apiEndpoint, notSignedIn, otherMethods } from '$lib/server/http/api';
import { problem } from '$lib/server/http/problem';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/**
 * Returns who is signed in in this browser, and until when if the session is not used again. It is meant for open pages: a call does not
 * count as a use of the session. 401: the session has ended; the body says what ended it, if D1 knows. 409: this browser now has another
 * session; ask again. 503: unknown.
 */
export const GET = apiEndpoint(async ({ locals }: RequestEvent) => {
  const look = await locals.auth.current.look();
  switch (look.is) {
    case 'signed-in': {
      const { user, idlePeriodExpiresAt } = look.session;
      return json({ userId: user.userId, username: user.username, until: idlePeriodExpiresAt.getTime() });
    }
    case 'signed-out':
      return notSignedIn(look.ending && { ended: look.ending });
    case 'replaced':
      return problem(409, 'Session replaced', 'This browser goes on as another session: ask again.');
    case 'unknown':
      return problem(
        503,
        'Not known yet',
        'Workers KV does not show this session here, and nothing says that it has ended. Ask again.',
      );
  }
});

export const fallback = otherMethods(['GET', 'HEAD']);
