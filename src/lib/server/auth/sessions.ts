import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Session, SessionSchema } from 'lucia';
import type { SessionView } from '$lib/session-view';
import { deviceOf } from './device';
import { logEvent, type EventType, type Origin } from './events';
import { readSession, toSignIn, type GuardEvent } from './guards';
import {
  nextEpoch,
  stands,
  type Account,
  type Actor,
  type Arrival,
  type KnownByCookie,
  type Rotation,
  type Standing,
} from './ledger';
import { StoreUnavailable } from '../stores';
import { endingInTime, renewedPeriods } from './lifetime';
import type { Auth } from './lucia';
import { placeOf } from './place';
import {
  ACTIVE_PERIOD_MILLISECONDS,
  BACKGROUND_DELETES_AT_ONCE,
  HOUR_MILLISECONDS,
  ROTATIONS_PER_HOUR_MAX,
  SESSIONS_LISTED_MAX,
} from './policy';
import { isThrottled, rowId, type Quota, type Throttled } from './throttle';
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
export async function arrivalOf(
  event: SessionEvent,
  type: EventType,
  userId: string,
  sessionId: string,
): Promise<Arrival> {
  return { type, userId, sessionId, origin: originOf(event), replaced: await presentedSession(event) };
}

/** The session whose cookie this request carries, and whether KV shows it. A KV that does not answer shows nothing. */
async function presentedSession({ locals: { auth } }: SessionEvent): Promise<KnownByCookie | null> {
  if (!auth.presented) return null;
  const { userId, sessionId } = auth.presented;
  const record = await auth.records.read(sessionId).catch(() => null);
  return { userId, sessionId, shown: record !== null };
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

/**
 * Ends the session of this browser, or what that went on as, and clears the cookie. Does nothing for a browser without one. The ledger
 * knows the session by its birth; KV is asked only where it does not, so one can sign out with KV down.
 */
export async function signOut(event: SessionEvent): Promise<void> {
  const { auth } = event.locals;
  const { presented, ledger } = auth;
  if (presented) {
    const { sessionId, userId } = presented;
    const origin = originOf(event);
    const byBirth = await ledger.signOut({ userId, sessionId, shown: false }, origin);
    const isShown = !byBirth.known && (await auth.records.read(sessionId)) !== null;
    const { ended } = isShown ? await ledger.signOut({ userId, sessionId, shown: true }, origin) : byBirth;
    if (ended) logEvent('signed-out', { userId, sessionId: ended });
    // Of a session that there never was there is nothing to remove.
    if (byBirth.known || isShown)
      for (const id of new Set([sessionId, ended ?? sessionId])) forgetRecord(event, id);
  }
  leave(event);
}

/** A user's live sessions, as the app lists them. */
export type SessionList = {
  sessions: SessionView[];
  /** Whether there may be more, which KV was not asked for: see `SESSIONS_LISTED_MAX`. */
  more: boolean;
};

/**
 * The user's live sessions, the current one first, then by last use; sends a request without a session to the sign-in page. In the order confirm, KV's
 * list, ledger: KV's list may be late in both directions. What it still shows of ended sessions the ledger takes out, and the
 * current session is always there. Nothing is listed for a stranger, and the ledger is asked about listed ids alone.
 */
export async function listSessions(event: GuardEvent, current: Session): Promise<SessionList> {
  const { auth } = event.locals;
  const records = await auth.records.list(current.user.userId);
  const ids = records.map(({ id }) => id);
  const standing = await auth.ledger.standing(current.user.userId, [current.sessionId, ...ids]);
  if (!stands(current, standing)) toSignIn(event);
  const others = liveOthers(auth, current, records, standing);
  return {
    sessions: [viewOf(current, true), ...others],
    more: records.length >= SESSIONS_LISTED_MAX,
  };
}

/** Of these records those that stand beside the current session, by last use. */
function liveOthers(
  { lucia }: Auth,
  current: Session,
  records: SessionSchema[],
  standing: Standing | null,
): SessionView[] {
  const { user } = current;
  return records
    .map((record) => lucia.transformDatabaseSession(record, { user, fresh: false }))
    .filter((session) => session.sessionId !== current.sessionId && stands(session, standing))
    .map((session) => viewOf(session, false))
    .sort((a, b) => b.lastActiveAt - a.lastActiveAt);
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
  const end = (shown: boolean) => auth.ledger.end(actorOf(current), sessionId, shown, originOf(event));
  // KV may not show it here yet: what D1 saw the birth of is ended all the same.
  const [byBirth, record] = await Promise.all([end(false), readSession(auth, sessionId)]);
  const outcome = byBirth === 'unknown' && record ? await end(true) : byBirth;
  if (outcome === 'refused') toSignIn(event);
  if (outcome === 'unknown') return 'unknown';
  forgetRecord(event, sessionId);
  // That browser has rotated its token; its new session is listed and stays alive.
  if (outcome === 'replaced' || (outcome === 'ended' && !record)) return 'unknown';
  logEvent('session-revoked', { userId: current.user.userId, sessionId });
  return 'ended';
}

/**
 * Names one of the user's sessions; an empty name takes it back. `unknown`: no such session, or somebody else's.
 * Like a renewal it writes the record and then asks the ledger, so it cannot bring an ended session back. The current session is
 * renewed in the same write if that is due.
 */
export async function renameSession(
  event: SessionEvent,
  current: Session,
  sessionId: string,
  name: string,
): Promise<'renamed' | 'unknown'> {
  const { records } = event.locals.auth;
  if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';
  const record = await records.read(sessionId);
  if (!record || record.idle_expires <= Date.now()) return 'unknown';
  const isCurrent = sessionId === current.sessionId;
  const renewal = isCurrent && current.state === 'idle' ? renewedPeriods() : {};
  const outcome = await records.rewrite(record, { name, ...renewal }, current);
  if (outcome === 'refused') inBackground(event, () => records.takeBack(record).catch(cleanupFailed));
  if (outcome === 'refused' || (outcome === 'ended' && isCurrent)) toSignIn(event);
  return outcome === 'ended' ? 'unknown' : 'renamed';
}

/**
 * Ends all sessions of the user but this one, which goes on under a new token.
 * Returns how many others were listed; `null` when KV could not say. Throttled: it was done too often, and nothing happened.
 */
export async function revokeOtherSessions(
  event: SessionEvent,
  current: Session,
): Promise<number | null | Throttled> {
  const { ledger } = event.locals.auth;
  const others = await endOthers(event, current, current.proved_at, (rotation) =>
    ledger.endOthers(actorOf(current), rotation, originOf(event)),
  );
  if (isThrottled(others)) return others;
  logEvent('others-revoked', { userId: current.user.userId });
  return countOf(others);
}

/** How many there are; `null` where KV could not say. */
export function countOf(others: SessionView[] | null): number | null {
  return others && others.length < SESSIONS_LISTED_MAX - 1 ? others.length : null;
}

/** Ends all sessions of the user, this one too. It does not wait for KV's list. */
export async function revokeAllSessions(event: SessionEvent, current: Session): Promise<void> {
  const { ledger } = event.locals.auth;
  if (!(await ledger.endAll(actorOf(current), nextEpoch(current.epoch), originOf(event)))) toSignIn(event);
  logEvent('all-revoked', { userId: current.user.userId });
  leaveWithAll(event, current);
}

/**
 * Ends every session by `raise`, which has the ledger raise the epoch and says whether it did; this browser goes on in the
 * new epoch, under a new token and id, and the old records go. Returns the others, `null` when KV could not list them.
 */
export async function endOthers(
  event: SessionEvent,
  current: Session,
  proved_at: number,
  raise: (rotation: Rotation) => Promise<boolean>,
): Promise<SessionView[] | null | Throttled> {
  const { auth } = event.locals;
  const next = nextEpoch(current.epoch);
  const quota = rotationsOf(auth, current);
  const successor = newSession(current.user.userId);
  const others = listOthers(auth, current);
  // All at once: until the ledger has raised the epoch the successor's record is no session.
  const [raised, stored] = await Promise.allSettled([
    raise({ next, successorId: successor.sessionId, quota }),
    storeSuccessor(event, current, successor, { epoch: next, proved_at }),
  ]);
  const goesOn = raised.status === 'fulfilled' && raised.value;
  // Also when the ledger raised the epoch and only its answer was lost: nobody has that session's token.
  if (!goesOn && stored.status === 'fulfilled') forgetRecord(event, successor.sessionId);
  if (raised.status === 'rejected') throw raised.reason;
  if (!raised.value) return (await auth.throttle.wait({ counted: [], quotas: [quota] })) ?? toSignIn(event);
  forgetRecords(event, current, await others);
  if (stored.status === 'rejected') throw stored.reason;
  adopt(auth, stored.value);
  return others;
}

/** How often a sign-in may go on under another token by ending the others. */
function rotationsOf({ deviceSecret }: Auth, { user, created_at }: Session): Quota {
  const id = rowId(deviceSecret, 'rotation', `${user.userId}:${created_at}`);
  return { id, max: ROTATIONS_PER_HOUR_MAX, windowMilliseconds: HOUR_MILLISECONDS };
}

/**
 * The password was just given: this browser goes on under a new token, the old one is dead (ASVS 7.2.4). Where KV takes no
 * new session it keeps the old one, with a proof for this request alone: others can be ended all the same.
 */
export async function renewProof(event: SessionEvent, current: Session): Promise<Session> {
  const { auth } = event.locals;
  const proved = { epoch: current.epoch, proved_at: Date.now() };
  const next = newSession(current.user.userId);
  const successor = await storeSuccessor(event, current, next, proved).catch((error: unknown) => {
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

/** After every session ended: the cookie goes, and in the background the records that KV lists. */
function leaveWithAll(event: SessionEvent, current: Session): void {
  leave(event);
  const { auth } = event.locals;
  inBackground(event, async () => {
    const records = await auth.records.list(current.user.userId);
    await removeAll(auth, [current.sessionId, ...records.map(({ id }) => id)]);
  });
}

export function leave({ locals: { auth } }: SessionEvent): void {
  auth.request.setSession(null);
  auth.memory.signedOut = true;
  auth.memory.adopted = null;
}

/** The user's other live sessions, or `null` when KV does not answer: ending them does not depend on the list. */
export async function listOthers(auth: Auth, current: Session): Promise<SessionView[] | null> {
  const { userId, username } = current.user;
  try {
    const records = await auth.records.list(userId);
    const revoked = await auth.ledger.revokedAmong(records.map(({ id }) => id));
    // Beside the write that ends them: the user's epoch may have been raised already.
    return liveOthers(auth, current, records, { username, epoch: current.epoch, revoked });
  } catch {
    return null;
  }
}

export function actorOf(session: Session): Actor {
  return { userId: session.user.userId, sessionId: session.sessionId, epoch: session.epoch };
}

/** The device and place a request comes from. */
export function originOf({ request, platform, url }: SessionEvent): Origin {
  return { device: deviceOf(request.headers), place: placeOf(platform?.cf, url) };
}

type SessionNotes = Omit<Lucia.DatabaseSessionAttributes, 'username' | 'epoch'>;

/** Stores the session that takes the place of the current one. */
function storeSuccessor(
  event: SessionEvent,
  { user, created_at, device, place, name }: Session,
  successor: NewSession,
  { epoch, proved_at }: { epoch: number; proved_at: number },
): Promise<Session> {
  const account = { id: user.userId, username: user.username, epoch };
  const notes = { created_at, proved_at, device, place, ...(name && { name }) };
  return storeSession(event, account, successor, notes);
}

async function storeSession(
  event: SessionEvent,
  { id: userId, username, epoch }: Account,
  { sessionId, token }: NewSession,
  notes: SessionNotes,
): Promise<Session> {
  const { auth } = event.locals;
  auth.made.set(sessionId, { token, created_at: notes.created_at });
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

/** From here on this browser has that session: its cookie is set, and a page that follows in this request confirms it. */
function adopt({ request, memory }: Auth, session: Session): void {
  request.setSession(session);
  memory.adopted = session;
}

/** Removes an ended record from KV once the answer is sent. It is dead already: the ledger says so. */
function forgetRecord(event: SessionEvent, sessionId: string): void {
  inBackground(event, () => removeAll(event.locals.auth, [sessionId]));
}

function forgetRecords(event: SessionEvent, current: Session, others: SessionView[] | null): void {
  const ids = [current.sessionId, ...(others ?? []).map(({ id }) => id)];
  inBackground(event, () => removeAll(event.locals.auth, ids));
}

async function removeAll({ records }: Auth, sessionIds: string[]): Promise<void> {
  const ids = [...new Set(sessionIds)];
  const worker = async () => {
    for (let id = ids.pop(); id; id = ids.pop()) await records.remove(id).catch(cleanupFailed);
  };
  await Promise.all(Array.from({ length: Math.min(BACKGROUND_DELETES_AT_ONCE, ids.length) }, worker));
}

/** Begins a turn later, so that the answer does not stand in line behind a thousand deletes. */
export function inBackground(event: SessionEvent, work: () => Promise<unknown>): void {
  const done = nextTurn().then(work).catch(cleanupFailed);
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
