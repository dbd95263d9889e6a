import { redirect } from '@sveltejs/kit';
import { LuciaError, type Session } from 'lucia';
import { leaveNotice } from '../http/flash';
import { stands, type Standing } from './ledger';
import { endingInTime } from './lifetime';
import type { Auth, AuthEvent } from './lucia';

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
 * All that asks in one request has one answer, until an action has run (`confirmAnew`).
 * Renews a session that is due; drops the cookie of a session that has ended, but for one that another request of this
 * browser replaced: the answer of that one brings the new cookie, and this must not take it away.
 */
export function confirmSession(event: GuardEvent): Promise<Session | null> {
  const { auth } = event.locals;
  return (auth.memory.confirmed ??= confirm(auth).then((session) =>
    session?.state === 'idle' ? renew(auth, session) : session,
  ));
}

/** What comes after an action in the same request (the page, without scripts) asks the ledger again, and the ledger alone. */
export function confirmAnew({ locals }: GuardEvent): void {
  locals.auth.memory.confirmed = undefined;
}

/** The session that this browser has: the one that this request gave it, or else the one whose cookie it sent. */
async function confirm(auth: Auth): Promise<Session | null> {
  const { presented, ledger, memory } = auth;
  if (memory.adopted === null) return null;
  const sessionId = memory.adopted?.sessionId ?? presented?.sessionId;
  const userId = memory.adopted?.user.userId ?? presented?.userId;
  if (!sessionId || !userId) return null;
  const [session, standing] = await Promise.all([
    readSession(auth, sessionId),
    ledger.standing(userId, [sessionId]),
  ]);
  if (!standing || standing.revoked.has(sessionId) || (session && !stands(session, standing))) {
    return ended(auth, sessionId, standing);
  }
  // No record and nothing in the ledger: it expired, or KV does not show it here yet. The cookie may stay.
  if (!session) return null;
  memory.users.set(userId, { id: userId, username: session.user.username });
  return session;
}

/** Writes the record again and then asks the ledger again; no cookie is sent. */
async function renew(auth: Auth, { sessionId, user }: Session): Promise<Session | null> {
  try {
    return endingInTime(await auth.lucia.validateSession(sessionId));
  } catch (error) {
    if (!isInvalidSession(error)) throw error;
    return ended(auth, sessionId, await auth.ledger.standing(user.userId, [sessionId]));
  }
}

function ended({ request }: Auth, sessionId: string, standing: Standing | null): null {
  if (standing?.revoked.get(sessionId) !== 'replaced') request.setSession(null);
  return null;
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
function isInvalidSession(error: unknown): boolean {
  return error instanceof LuciaError && error.message === 'AUTH_INVALID_SESSION_ID';
}

/** The confirmed session, or a redirect to the sign-in page that comes back here afterwards, or to another page that is given. */
export async function requireSession(event: GuardEvent, comeBackTo?: string): Promise<Session> {
  return (await confirmSession(event)) ?? toSignIn(event, comeBackTo);
}

/** `requireSession` for what writes the session's record itself, and renews it with that one write: KV takes one a second. */
export async function requireSessionAsItIs(event: GuardEvent): Promise<Session> {
  return (await confirm(event.locals.auth)) ?? toSignIn(event);
}

const QUERY_MAX_CHARACTERS = 1_000;

/** Redirects to sign-in. If the request had a session cookie, that page says the session ended. */
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
