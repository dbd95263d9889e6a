import { json } from '@sveltejs/kit';
import { apiEndpoint, otherMethods, passwordNeeded } from '$lib/server/http/api';
import type { RequestEvent } from './$types';

export const trailingSlash = 'ignore';

/** The caller's live sessions. `more`: only the first `SESSIONS_LISTED_MAX` records were looked at; `unlisted`: KV could not list the others. */
export const GET = apiEndpoint(async ({ locals }: RequestEvent) => {
  const { current, sessions } = locals.auth;
  const { sessions: listed, more, unlisted } = await sessions.list(await current.require());
  return json({ sessions: listed, ...(more && { more }), ...(unlisted && { unlisted }) });
});

/** Ends all the caller's sessions but this one, which goes on under a new cookie. `ended` is `null` if KV could not count. */
export const DELETE = apiEndpoint(async ({ locals }: RequestEvent) => {
  const { current, accounts } = locals.auth;
  const session = accounts.freshProof(await current.require());
  return session ? json({ ended: await accounts.endOthers(session) }) : passwordNeeded();
});

export const fallback = otherMethods(['GET', 'HEAD', 'DELETE']);
