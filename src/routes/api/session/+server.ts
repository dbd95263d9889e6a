import { json } from '@sveltejs/kit';
import { apiEndpoint, notSignedIn, otherMethods } from '$lib/server/http/api';
import { problem } from '$lib/server/http/problem';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/**
 * Who is signed in here, and until when if nothing more is done. For pages that are open: asking is not a use of the session.
 * 401: the session has ended, and what ended it, where D1 knows. 409: this browser goes on as another session: ask again. 503: not known.
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
