/** The functions of the app's own modules that tests call for a request, by name. Too many attempts are a result here and not an exception. */
import { proven } from '$lib/server/sessions/proof';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import { Throttled } from '$lib/server/throttle/throttle';
import type { TestEvent } from './browser';

type Asking = Pick<TestEvent, 'locals'>;

async function orThrottled<T>(work: Promise<T>): Promise<T | { retryAfterSeconds: number }> {
  try {
    return await work;
  } catch (thrown) {
    if (thrown instanceof Throttled) return { retryAfterSeconds: thrown.retryAfterSeconds };
    throw thrown;
  }
}

const current = ({ locals }: Asking) => locals.auth.current;
const sessions = ({ locals }: Asking) => locals.auth.sessions;
const accounts = ({ locals }: Asking) => locals.auth.accounts;

export const peekSession = (event: Asking) => event.locals.auth.peek();
export const confirmSession = (event: Asking) => current(event).confirm();
export const requireSession = (event: Asking) => current(event).require();
export const requireSessionAsItIs = (event: Asking) => current(event).requireAsItIs();

export const listSessions = (event: Asking, session: ConfirmedSession) => sessions(event).list(session);
export const signOut = (event: Asking) => sessions(event).signOut();
export const revokeSession = async (event: Asking, session: ConfirmedSession, sessionId: string) =>
  (await sessions(event).revoke(proven(session), sessionId)) === 'unknown' ? 'unknown' : 'ended';
export const renameSession = (event: Asking, session: ConfirmedSession, sessionId: string, name: string) =>
  sessions(event).rename(session, sessionId, name);
export const revokeAllSessions = (event: Asking, session: ConfirmedSession) =>
  sessions(event).revokeAll(proven(session));

export const revokeOtherSessions = (event: Asking, session: ConfirmedSession) =>
  orThrottled(accounts(event).endOthers(proven(session)));
export const signUp = (event: Asking, username: string, password: string) =>
  orThrottled(accounts(event).signUp(username, password));
export const signIn = (event: Asking, username: string, password: string) =>
  orThrottled(accounts(event).signIn(username, password));
export const stepUp = (event: Asking, session: ConfirmedSession, password: string) =>
  orThrottled(accounts(event).prove(session, password));
export const changePassword = (event: Asking, session: ConfirmedSession, before: string, after: string) =>
  orThrottled(accounts(event).changePassword(session, before, after));
export const deleteAccount = (event: Asking, session: ConfirmedSession, password: string) =>
  orThrottled(accounts(event).delete(session, password));
