import { json } from '@sveltejs/kit';
import { apiEndpoint, otherMethods, passwordNeeded } from '$lib/server/http/api';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/**
 * Returns the caller's live sessions. `more`: only the first `SESSIONS_LISTED_MAX` records were read. `unlisted`: KV could not list the
 * other sessions.
 */
export const GET = apiEndpoint(async ({ locals }: RequestEvent) => {
  const { current, sessions } = locals.auth;
  const { sessions: listed, more, unlisted } = await sessions.list(await current.require());
  return json({ sessions: listed, ...(more && { more }), ...(unlisted && { unlisted }) });
});

/** Ends all the caller's sessions except this one, which gets a new cookie. `ended` is `null` if KV could not count them. */
export const DELETE = apiEndpoint(async ({ locals }: RequestEvent) => {
  const { current, accounts } = locals.auth;
  const session = accounts.freshProof(await current.require());
  return session ? json({ ended: await accounts.endOthers(session) }) : passwordNeeded();
});

export const fallback = otherMethods(['GET', 'HEAD', 'DELETE']);
