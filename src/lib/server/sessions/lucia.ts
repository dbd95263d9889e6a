import {
  lucia,
  type Adapter,
  type Cookie,
  type InitializeAdapter,
  type Middleware,
  type SessionAdapter,
  type UserAdapter,
} from 'lucia';
import { ACTIVE_PERIOD_MILLISECONDS, IDLE_PERIOD_MILLISECONDS } from '../policy';
import type { SessionRecords } from './records';
import type { RequestFacts } from './request-facts';

export type SessionLucia = ReturnType<typeof createLucia>;

type LuciaParts = {
  sessions: SessionAdapter;
  records: SessionRecords;
  users: UserAdapter;
  cookie: RequestFacts['cookie'];
};

/** A request as Lucia sees it: the id of its session (empty for none), and where to set a session cookie. */
type LuciaRequest = { request: Request; sessionCookie: string; setCookie(cookie: Cookie): void };

const middleware: Middleware<[LuciaRequest]> = ({ args: [request] }) => request;

/** Creates Lucia for one request. */
export function createLucia({ sessions, records, users, cookie }: LuciaParts) {
  return lucia({
    adapter: requestAdapter(sessions, records, users),
    env: cookie.secure ? 'PROD' : 'DEV',
    middleware,
    // hooks.server.ts checks the origin of every unsafe request, and more strictly.
    csrfProtection: false,
    sessionCookie: { name: cookie.name, attributes: { sameSite: 'lax', path: '/' } },
    sessionExpiresIn: { activePeriod: ACTIVE_PERIOD_MILLISECONDS, idlePeriod: IDLE_PERIOD_MILLISECONDS },
    getUserAttributes: ({ username }) => ({ username }),
    getSessionAttributes: ({ created_at, proved_at, epoch, device, place, name }) => ({
      created_at,
      proved_at,
      epoch,
      device,
      place,
      name,
    }),
  });
}

/**
 * One combined adapter. Lucia drops `getSessionAndUser` from the `{ user, session }` form. That method makes one KV read enough for a
 * session, because the record has its own copy of the user's name.
 */
function requestAdapter(
  sessions: SessionAdapter,
  records: SessionRecords,
  users: UserAdapter,
): InitializeAdapter<Adapter> {
  return (LuciaError) => ({
    ...users,
    ...sessions,
    getSession: records.read,
    setSession: records.store,
    async getSessionAndUser(sessionId) {
      const session = await records.read(sessionId);
      return session ? [session, { id: session.user_id, username: session.username }] : [null, null];
    },
    async updateSession(sessionId, partial) {
      const session = await records.read(sessionId);
      const rewritten = session ? await records.rewrite(session, partial) : 'ended';
      if (typeof rewritten === 'string') throw new LuciaError('AUTH_INVALID_SESSION_ID');
    },
  });
}
