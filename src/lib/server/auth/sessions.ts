import type { Session } from 'lucia';
import type { Place, SessionView } from '$lib/session-view';
import { deviceOf } from './device';
import { readSession, toSignIn, type GuardEvent } from './guards';
import type { Account, Actor, EndReason } from './ledger';
import { absoluteEnd, isLoopback, type Auth } from './lucia';
import { ACTIVE_PERIOD_MILLISECONDS, BACKGROUND_DELETES_AT_ONCE } from './policy';
import { createToken, isSessionIdOf, sessionIdFor } from './token';

/** An event with what sign-in notes of the device's place, and with work that may outlive the answer. */
export type SessionEvent = GuardEvent & {
  platform?: Readonly<{
    cf?: { country?: unknown; city?: unknown };
    ctx?: { waitUntil(promise: Promise<unknown>): void };
  }>;
};

/** Signs this browser in: a new session in the account's epoch, in place of the one this browser had. */
export async function startSession(event: SessionEvent, account: Account): Promise<Session> {
  const { auth } = event.locals;
  // The old one first: if this fails nothing has changed, and if the next step fails nobody is signed in by accident.
  if (auth.presented) await endPresentedSession(event, 'replaced');
  return issueSession(auth, account, {
    created_at: Date.now(),
    device: deviceOf(event.request.headers.get('user-agent')),
    place: placeOf(event),
  });
}

/** Ends the session of this browser and clears its cookie. Does nothing for a browser without one. */
export async function signOut(event: SessionEvent): Promise<void> {
  await endPresentedSession(event, 'signed-out');
  event.locals.auth.request.setSession(null);
}

/**
 * The user's live sessions, the current one first, then by last use. KV's list may be late in both directions:
 * what it still shows of ended sessions the ledger takes out, and the current session is always there.
 */
export async function listSessions({ lucia, ledger }: Auth, current: Session): Promise<SessionView[]> {
  const { userId } = current.user;
  const [listed, revoked] = await Promise.all([lucia.getAllUserSessions(userId), ledger.revokedIds(userId)]);
  const others = listed
    .filter(({ sessionId }) => sessionId !== current.sessionId)
    .filter(({ sessionId, epoch }) => epoch === current.epoch && !revoked.has(sessionId))
    .filter((session) => Date.now() < absoluteEnd(session))
    .map((session) => viewOf(session, false))
    .sort((a, b) => b.lastActiveAt - a.lastActiveAt);
  return [viewOf(current, true), ...others];
}

/**
 * Ends one session of the current user. `unknown`: no such session, or somebody else's; the answer does not say which.
 */
export async function revokeSession(
  event: SessionEvent,
  current: Session,
  sessionId: string,
): Promise<'ended' | 'unknown'> {
  const { ledger, lucia } = event.locals.auth;
  if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';
  // The record is read only to tell a known session from an unknown one. KV may not show it here yet: end it all the same.
  const [outcome, record] = await Promise.all([
    ledger.end(actorOf(current), sessionId, 'revoked'),
    readSession(event.locals.auth, sessionId),
  ]);
  if (outcome === 'refused') toSignIn(event);
  inBackground(event, lucia.invalidateSession(sessionId).catch(cleanupFailed));
  return record || outcome === 'already' ? 'ended' : 'unknown';
}

/**
 * Ends all sessions of the user but this one, which goes on under a new token.
 * Gives how many others were listed; `null` when KV could not say.
 */
export async function revokeOtherSessions(event: SessionEvent, current: Session): Promise<number | null> {
  const { auth } = event.locals;
  const [epoch, others] = await Promise.all([
    auth.ledger.endAll(actorOf(current)),
    listOthers(auth, current),
  ]);
  if (epoch === null) toSignIn(event);
  await continueInEpoch(event, current, epoch, others);
  return others && others.length;
}

/** Ends all sessions of the user, this one too. */
export async function revokeAllSessions(event: SessionEvent, current: Session): Promise<void> {
  const { auth } = event.locals;
  const [epoch, others] = await Promise.all([
    auth.ledger.endAll(actorOf(current)),
    listOthers(auth, current),
  ]);
  if (epoch === null) toSignIn(event);
  leaveWithAll(event, current, others);
}

/** After the epoch rose: this browser goes on in the new one, under a new token and id; the old records go. */
export async function continueInEpoch(
  event: SessionEvent,
  current: Session,
  epoch: number,
  others: SessionView[] | null,
): Promise<void> {
  const { created_at, device, place, user } = current;
  const account = { id: user.userId, username: user.username, epoch };
  await issueSession(event.locals.auth, account, { created_at, device, place });
  forgetRecords(event, current, others);
}

/** After every session ended: the cookie goes, and the records. */
export function leaveWithAll(event: SessionEvent, current: Session, others: SessionView[] | null): void {
  event.locals.auth.request.setSession(null);
  forgetRecords(event, current, others);
}

/** The user's other live sessions, or `null` when KV does not answer: ending them does not depend on the list. */
export async function listOthers(auth: Auth, current: Session): Promise<SessionView[] | null> {
  try {
    return (await listSessions(auth, current)).filter((session) => !session.current);
  } catch {
    return null;
  }
}

/** Removes ended records from KV once the answer is sent. They are dead already: the ledger says so. */
function forgetRecords(event: SessionEvent, current: Session, others: SessionView[] | null): void {
  const { lucia } = event.locals.auth;
  const ids = [current.sessionId, ...(others ?? []).map(({ id }) => id)];
  const worker = async () => {
    for (let id = ids.pop(); id; id = ids.pop()) await lucia.invalidateSession(id).catch(cleanupFailed);
  };
  inBackground(event, Promise.all(Array.from({ length: BACKGROUND_DELETES_AT_ONCE }, worker)));
}

export function actorOf(session: Session): Actor {
  return { userId: session.user.userId, sessionId: session.sessionId, epoch: session.epoch };
}

async function endPresentedSession(event: SessionEvent, reason: EndReason): Promise<void> {
  const { presented, ledger, lucia } = event.locals.auth;
  if (!presented) return;
  await ledger.endOwn(presented.sessionId, presented.userId, reason);
  inBackground(event, lucia.invalidateSession(presented.sessionId).catch(cleanupFailed));
}

type SessionNotes = Pick<Lucia.DatabaseSessionAttributes, 'created_at' | 'device' | 'place'>;

async function issueSession(auth: Auth, account: Account, notes: SessionNotes): Promise<Session> {
  const { id: userId, username, epoch } = account;
  const token = createToken();
  const sessionId = sessionIdFor(userId, token);
  auth.tokens.set(sessionId, token);
  auth.memory.users.set(userId, { id: userId, username });
  const session = await auth.lucia.createSession({
    userId,
    sessionId,
    attributes: { username, epoch, ...notes },
  });
  auth.request.setSession(session);
  // Without JavaScript the page's load runs in the same request, after the action: it must see the new session.
  auth.memory.confirmed = Promise.resolve(session);
  return session;
}

function inBackground(event: SessionEvent, work: Promise<unknown>): void {
  event.platform?.ctx?.waitUntil(work);
}

/** KV deletes tidy up; they may come late or fail, and then KV's own expiry and the ledger see to it. */
function cleanupFailed(error: unknown): void {
  console.warn(JSON.stringify({ event: 'kv-cleanup-failed', message: String(error) }));
}

function viewOf(session: Session, current: boolean): SessionView {
  return {
    id: session.sessionId,
    current,
    device: session.device,
    place: session.place,
    signedInAt: session.created_at,
    // Every renewal sets the active period anew, so its end tells when the session was last renewed.
    lastActiveAt: session.activePeriodExpiresAt.getTime() - ACTIVE_PERIOD_MILLISECONDS,
    endsAt: session.idlePeriodExpiresAt.getTime(),
  };
}

/** Country and city as Cloudflare's edge sees them (`request.cf`); no address is kept. */
function placeOf({ platform, url }: SessionEvent): Place {
  if (isLoopback(url)) return { country: null, city: 'local' };
  const { country, city } = platform?.cf ?? {};
  return { country: textOrNull(country), city: textOrNull(city) };
}

const PLACE_MAX_CHARACTERS = 60;

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, PLACE_MAX_CHARACTERS) : null;
}
