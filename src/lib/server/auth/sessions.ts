import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Session, SessionSchema } from 'lucia';
import type { Place, SessionView } from '$lib/session-view';
import { deviceOf } from './device';
import { logEvent, type EventType, type Origin } from './events';
import { isInvalidSession, readSession, requireSession, toSignIn, type GuardEvent } from './guards';
import { nextEpoch, type Account, type Actor, type Arrival } from './ledger';
import { StoreUnavailable } from '../stores';
import { absoluteEnd, endingInTime, isLoopback, type Auth } from './lucia';
import { ACTIVE_PERIOD_MILLISECONDS, BACKGROUND_DELETES_AT_ONCE } from './policy';
import { createToken, isSessionIdOf, sessionIdFor } from './token';

/** An event with what sign-in notes of the device's place, and with work that may outlive the answer. */
export type SessionEvent = GuardEvent & {
  getClientAddress(): string;
  platform?: Readonly<{
    cf?: { country?: unknown; city?: unknown };
    ctx?: { waitUntil(promise: Promise<unknown>): void };
  }>;
};

/** A session that is about to be: its id is known before anything is stored, and its token to this request alone. */
export type NewSession = { sessionId: string; token: string };

/** Draws a token for a session of this user. Nothing is stored yet. */
export function newSession(userId: string): NewSession {
  const token = createToken();
  return { token, sessionId: sessionIdFor(userId, token) };
}

/** What the ledger records of a sign-in or sign-up; the session that this browser had is replaced. */
export function arrivalOf(event: SessionEvent, type: EventType, userId: string, sessionId: string): Arrival {
  const { presented } = event.locals.auth;
  return { type, userId, sessionId, origin: originOf(event), replaced: presented };
}

/**
 * Signs this browser in, after the ledger let the arrival in: stores the session and sets its cookie.
 * The replaced session ended before: if this fails, nobody is signed in by accident.
 */
export async function startSession(
  event: SessionEvent,
  account: Account,
  session: NewSession,
): Promise<void> {
  const now = Date.now();
  const { auth } = event.locals;
  const { presented } = auth;
  const notes = { created_at: now, proved_at: now, ...originOf(event) };
  adopt(auth, await storeSession(event, account, session, notes));
  if (presented) forgetRecord(event, presented.sessionId);
}

/** Ends the session of this browser and clears its cookie. Does nothing for a browser without one. */
export async function signOut(event: SessionEvent): Promise<void> {
  const { auth } = event.locals;
  const { presented, ledger } = auth;
  if (presented) {
    const { sessionId, userId } = presented;
    // Only for what is recorded of it: with KV down one can still sign out.
    const record = await readSession(auth, sessionId).catch(() => null);
    await ledger.signOut(sessionId, userId, record !== null, originOf(event));
    if (record) logEvent('signed-out', { userId, sessionId });
    forgetRecord(event, sessionId);
  }
  leave(event);
}

/**
 * The user's live sessions, the current one first, then by last use. KV's list may be late in both directions:
 * what it still shows of ended sessions the ledger takes out, and the current session is always there.
 */
export async function listSessions(auth: Auth, current: Session): Promise<SessionView[]> {
  return viewsOf(auth, current, await askForList(auth, current.user.userId));
}

/**
 * The confirmed session with its user's live sessions, in one wait: the list is asked for while the session is being
 * confirmed, and looked at only if it is. Sends everybody else to the sign-in page, as `requireSession` does.
 */
export async function requireSessions(
  event: GuardEvent,
): Promise<{ session: Session; sessions: SessionView[] }> {
  const { auth } = event.locals;
  const asked = auth.presented && askForList(auth, auth.presented.userId);
  // Without a session to show it to, nobody waits for the list.
  asked?.catch(() => undefined);
  const session = await requireSession(event);
  return {
    session,
    sessions: viewsOf(auth, session, await (asked ?? askForList(auth, session.user.userId))),
  };
}

/** What KV lists of a user, and what the ledger takes out of it. */
type Listing = { records: SessionSchema[]; revoked: Set<string> };

async function askForList({ listRecords, ledger }: Auth, userId: string): Promise<Listing> {
  const [records, revoked] = await Promise.all([listRecords(userId), ledger.revokedIds(userId)]);
  return { records, revoked };
}

function viewsOf({ lucia }: Auth, current: Session, { records, revoked }: Listing): SessionView[] {
  const { user } = current;
  const others = records
    .map((record) => lucia.transformDatabaseSession(record, { user, fresh: false }))
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
  const { auth } = event.locals;
  if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';
  // The record is read only to tell a known session from an unknown one. KV may not show it here yet: end it all the same.
  const [outcome, record] = await Promise.all([
    auth.ledger.end(actorOf(current), sessionId, originOf(event)),
    readSession(auth, sessionId),
  ]);
  if (outcome === 'refused') toSignIn(event);
  forgetRecord(event, sessionId);
  // Its browser goes on under another token: that one is in the list, and is not ended.
  if (outcome === 'replaced' || (outcome === 'ended' && !record)) return 'unknown';
  logEvent('session-revoked', { userId: current.user.userId, sessionId });
  return 'ended';
}

/**
 * Names one of the user's sessions; an empty name takes it back. `unknown`: no such session, or somebody else's.
 * Like a renewal it writes the record and then asks the ledger, so it cannot bring an ended session back.
 */
export async function renameSession(
  event: SessionEvent,
  current: Session,
  sessionId: string,
  name: string,
): Promise<'renamed' | 'unknown'> {
  const { lucia } = event.locals.auth;
  if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';
  try {
    const renamed = await lucia.updateSessionAttributes(sessionId, { name });
    if (sessionId === current.sessionId) event.locals.auth.memory.confirmed = Promise.resolve(renamed);
    return 'renamed';
  } catch (error) {
    if (isInvalidSession(error)) return 'unknown';
    throw error;
  }
}

/**
 * Ends all sessions of the user but this one, which goes on under a new token.
 * Gives how many others were listed; `null` when KV could not say.
 */
export async function revokeOtherSessions(event: SessionEvent, current: Session): Promise<number | null> {
  const others = await endOthers(event, current, current.proved_at, (next) =>
    event.locals.auth.ledger.endAll(actorOf(current), next, 'others-revoked', originOf(event)),
  );
  logEvent('others-revoked', { userId: current.user.userId });
  return others && others.length;
}

/** Ends all sessions of the user, this one too. */
export async function revokeAllSessions(event: SessionEvent, current: Session): Promise<void> {
  const { auth } = event.locals;
  const [ended, others] = await Promise.all([
    auth.ledger.endAll(actorOf(current), nextEpoch(current.epoch), 'all-revoked', originOf(event)),
    listOthers(auth, current),
  ]);
  if (!ended) toSignIn(event);
  logEvent('all-revoked', { userId: current.user.userId });
  leaveWithAll(event, current, others);
}

/**
 * Ends every session by `raise`, which has the ledger raise the epoch and says whether it did; this browser goes on in the
 * new epoch, under a new token and id, and the old records go. Gives the others, `null` when KV could not list them.
 */
export async function endOthers(
  event: SessionEvent,
  current: Session,
  proved_at: number,
  raise: (next: number) => Promise<boolean>,
): Promise<SessionView[] | null> {
  const { auth } = event.locals;
  const next = nextEpoch(current.epoch);
  const others = listOthers(auth, current);
  // All at once: until the ledger has raised the epoch the successor's record is no session.
  const [raised, stored] = await Promise.allSettled([
    raise(next),
    storeSuccessor(event, current, { epoch: next, proved_at }),
  ]);
  const goesOn = raised.status === 'fulfilled' && raised.value;
  // Also when the ledger raised the epoch and only its answer was lost: nobody has that session's token.
  if (!goesOn && stored.status === 'fulfilled') forgetRecord(event, stored.value.sessionId);
  if (raised.status === 'rejected') throw raised.reason;
  if (!raised.value) toSignIn(event);
  forgetRecords(event, current, await others);
  if (stored.status === 'rejected') throw stored.reason;
  adopt(auth, stored.value);
  return others;
}

/**
 * The password was just given: this browser goes on under a new token, the old one is dead (ASVS 7.2.4). Where KV takes no
 * new session it keeps the old one, with a proof for this request alone: others can be ended all the same.
 */
export async function renewProof(event: SessionEvent, current: Session): Promise<Session> {
  const { auth } = event.locals;
  const proved = { epoch: current.epoch, proved_at: Date.now() };
  const successor = await storeSuccessor(event, current, proved).catch((error: unknown) => {
    if (error instanceof StoreUnavailable) return null;
    throw error;
  });
  if (!successor) return { ...current, ...proved };
  let goesOn = false;
  try {
    goesOn = await auth.ledger.replace(actorOf(current), successor.sessionId);
  } finally {
    // Of the two, only the one that this browser has is left.
    forgetRecord(event, goesOn ? current.sessionId : successor.sessionId);
  }
  if (!goesOn) toSignIn(event);
  adopt(auth, successor);
  return successor;
}

/** After every session ended: the cookie goes, and the records. */
export function leaveWithAll(event: SessionEvent, current: Session, others: SessionView[] | null): void {
  leave(event);
  forgetRecords(event, current, others);
}

export function leave({ locals: { auth } }: SessionEvent): void {
  auth.request.setSession(null);
  auth.memory.signedOut = true;
}

/** The user's other live sessions, or `null` when KV does not answer: ending them does not depend on the list. */
export async function listOthers(auth: Auth, current: Session): Promise<SessionView[] | null> {
  try {
    return (await listSessions(auth, current)).filter((session) => !session.current);
  } catch {
    return null;
  }
}

export function actorOf(session: Session): Actor {
  return { userId: session.user.userId, sessionId: session.sessionId, epoch: session.epoch };
}

/** The device and place a request comes from. */
export function originOf({ request, platform, url }: SessionEvent): Origin {
  return { device: deviceOf(request.headers.get('user-agent')), place: placeOf(platform?.cf, url) };
}

type SessionNotes = Omit<Lucia.DatabaseSessionAttributes, 'username' | 'epoch'>;

/** Stores the session that takes the place of the current one. */
function storeSuccessor(
  event: SessionEvent,
  { user, created_at, device, place, name }: Session,
  { epoch, proved_at }: { epoch: number; proved_at: number },
): Promise<Session> {
  const account = { id: user.userId, username: user.username, epoch };
  const notes = { created_at, proved_at, device, place, ...(name && { name }) };
  return storeSession(event, account, newSession(user.userId), notes);
}

async function storeSession(
  event: SessionEvent,
  { id: userId, username, epoch }: Account,
  { sessionId, token }: NewSession,
  notes: SessionNotes,
): Promise<Session> {
  const { auth } = event.locals;
  auth.tokens.set(sessionId, token);
  auth.memory.users.set(userId, { id: userId, username });
  try {
    const attributes = { username, epoch, ...notes };
    return endingInTime(await auth.lucia.createSession({ userId, sessionId, attributes }));
  } catch (error) {
    // KV may have taken it, with only the answer lost: then nobody has its token.
    forgetRecord(event, sessionId);
    throw error;
  }
}

/** From here on this browser has that session: its cookie is set. */
function adopt({ request, memory }: Auth, session: Session): void {
  request.setSession(session);
  // Without JavaScript the page's load runs in the same request, after the action: it must see the new session.
  memory.confirmed = Promise.resolve(session);
}

/** Removes an ended record from KV once the answer is sent. It is dead already: the ledger says so. */
function forgetRecord(event: SessionEvent, sessionId: string): void {
  const { lucia } = event.locals.auth;
  inBackground(event, () => lucia.invalidateSession(sessionId).catch(cleanupFailed));
}

function forgetRecords(event: SessionEvent, current: Session, others: SessionView[] | null): void {
  const { lucia } = event.locals.auth;
  const ids = [current.sessionId, ...(others ?? []).map(({ id }) => id)];
  const worker = async () => {
    for (let id = ids.pop(); id; id = ids.pop()) await lucia.invalidateSession(id).catch(cleanupFailed);
  };
  inBackground(event, () => Promise.all(Array.from({ length: BACKGROUND_DELETES_AT_ONCE }, worker)));
}

/** Begins a turn later, so that the answer does not stand in line behind a thousand deletes. */
export function inBackground(event: SessionEvent, work: () => Promise<unknown>): void {
  const done = nextTurn().then(work);
  event.platform?.ctx?.waitUntil(done);
}

/** KV deletes tidy up; they may come late or fail, and then KV's own expiry and the ledger see to it. */
function cleanupFailed(error: unknown): void {
  console.warn(JSON.stringify({ event: 'kv-cleanup-failed', message: String(error) }));
}

function viewOf(session: Session, current: boolean): SessionView {
  return {
    id: session.sessionId,
    current,
    name: session.name || null,
    device: session.device,
    place: session.place,
    signedInAt: session.created_at,
    // Every renewal sets the active period anew, so its end tells when the session was last renewed.
    lastActiveAt: session.activePeriodExpiresAt.getTime() - ACTIVE_PERIOD_MILLISECONDS,
    endsAt: session.idlePeriodExpiresAt.getTime(),
  };
}

/** Country and city as Cloudflare's edge sees them (`request.cf`); no address is kept. */
function placeOf(cf: { country?: unknown; city?: unknown } | undefined, url: URL): Place {
  if (isLoopback(url)) return { country: null, city: 'local' };
  return { country: textOrNull(cf?.country), city: textOrNull(cf?.city) };
}

const PLACE_MAX_CHARACTERS = 60;

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value.slice(0, PLACE_MAX_CHARACTERS) : null;
}
