import { redirect } from '@sveltejs/kit';
import { LuciaError, type Session } from 'lucia';
import { leaveNotice } from '../notice';
import { endingInTime, stands, type Auth, type AuthEvent } from './lucia';

export type GuardEvent = AuthEvent & { locals: { auth: Auth } };

/**
 * Who this is, probably: one KV read and no D1. KV may lag by a minute or more, so it must not decide anything.
 * Once an hour, when the session is due for renewal, it asks as `requireSession` does.
 */
export async function peekSession(event: GuardEvent): Promise<Session | null> {
  const session = await readPresented(event.locals.auth);
  return session?.state === 'idle' ? confirmSession(event) : session;
}

/**
 * Who this is, confirmed now: one KV read and one D1 query, started together. `null` when nobody is signed in.
 * Renews a session that is due and sends its cookie again; drops the cookie of a session that has ended, but for one that
 * another request of this browser replaced: the answer of that one brings the new cookie, and this must not take it away.
 */
export function confirmSession({ locals: { auth } }: GuardEvent): Promise<Session | null> {
  return (auth.memory.confirmed ??= confirm(auth));
}

async function confirm(auth: Auth): Promise<Session | null> {
  const { presented, ledger } = auth;
  if (!presented) return null;
  const [session, standing] = await Promise.all([
    readPresented(auth),
    ledger.standing(presented.userId, presented.sessionId),
  ]);
  const ended = !standing || standing.revoked || (session && !stands(session, standing));
  if (ended && !standing?.replaced) auth.request.setSession(null);
  // No record and nothing in the ledger: it expired, or KV does not show it here yet. The cookie may stay.
  if (ended || !session) return null;
  auth.memory.users.set(session.user.userId, { id: session.user.userId, username: session.user.username });
  return session.state === 'idle' ? renew(auth) : session;
}

/** Lucia renews the record but keeps the cookie's old expiry; so the cookie is sent again here. */
async function renew(auth: Auth): Promise<Session | null> {
  const session = await auth.request.validate();
  if (session?.fresh) {
    const renewed = endingInTime(session);
    auth.sendCookieAgain(renewed);
    return renewed;
  }
  return session;
}

async function readPresented(auth: Auth): Promise<Session | null> {
  return auth.presented && readSession(auth, auth.presented.sessionId);
}

/** The session as KV shows it here and now, unconfirmed; `null` when it shows none that is in time. */
export async function readSession({ lucia }: Auth, sessionId: string): Promise<Session | null> {
  try {
    return await lucia.getSession(sessionId);
  } catch (error) {
    if (isInvalidSession(error)) return null;
    throw error;
  }
}

/** Lucia's way to say that there is no such session, or no longer. */
export function isInvalidSession(error: unknown): boolean {
  return error instanceof LuciaError && error.message === 'AUTH_INVALID_SESSION_ID';
}

/** The confirmed session, or a redirect to the sign-in page that comes back here afterwards, or to another page that is given. */
export async function requireSession(event: GuardEvent, comeBackTo?: string): Promise<Session> {
  return (await confirmSession(event)) ?? toSignIn(event, comeBackTo);
}

const QUERY_MAX_CHARACTERS = 1_000;

/** Sends a request without a session to the sign-in page, which says so to whom had one. */
export function toSignIn(event: GuardEvent, comeBackTo?: string): never {
  const { url, request, locals } = event;
  if (locals.auth.presented) leaveNotice(event, 'session-ended');
  // The query of a POST names the action (`?/revoke`); there is no page to come back to under it. A long one would make
  // a Location header that clients and proxies refuse.
  const hasPage = request.method === 'GET' && url.search.length <= QUERY_MAX_CHARACTERS;
  const target = comeBackTo ?? (hasPage ? url.pathname + url.search : url.pathname);
  redirect(303, `/login?redirectTo=${encodeURIComponent(target)}`);
}

/** Pages for people who are not signed in: everybody else goes to their sessions, as long as these would not send them back. */
export async function requireGuest(event: GuardEvent): Promise<void> {
  if ((await peekSession(event)) && (await confirmSession(event))) redirect(303, '/sessions');
}
