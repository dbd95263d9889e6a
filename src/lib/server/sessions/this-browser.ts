import type { Session } from 'lucia';
import type { Confirmation } from './confirmation';
import { absoluteEnd } from './lifetime';
import type { SessionLucia } from './lucia';
import type { RequestFacts } from './request-facts';
import { cookieValueFor, type PresentedSession } from './token';

export type ThisBrowser = ReturnType<typeof createThisBrowser>;

/**
 * The browser that sent the request, and its session cookie. The cookie holds the token; Lucia sees only session ids, which contain the
 * token's hash. Every change of the session also clears the confirmation of the previous one. The cookie lives as long as its session can,
 * so a renewal sends no cookie, and a late response never overwrites a new token with an old one.
 */
export function createThisBrowser(facts: RequestFacts, lucia: SessionLucia, confirmation: Confirmation) {
  const { presented, cookies } = facts;
  let has: PresentedSession | null = presented;
  let made: { session: Session; token: string; end: number } | undefined;
  const since = Date.now();

  // Created on first use, because a peek does not need it.
  const request = () =>
    lucia.handleRequest({
      request: facts.request,
      // Never undefined: Lucia would then read the Cookie header itself and take its value for a session id.
      sessionCookie: has?.sessionId ?? '',
      setCookie({ value: sessionId }) {
        const { name, secure } = facts.cookie;
        const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const;
        if (sessionId === '' || !made) {
          return cookies.set(name, '', { ...options, expires: new Date(0), maxAge: 0 });
        }
        const value = cookieValueFor(sessionId.slice(0, sessionId.lastIndexOf('.')), made.token);
        // A browser whose clock is wrong relies on Max-Age.
        const maxAge = Math.max(Math.floor((made.end - Date.now()) / 1_000), 0);
        cookies.set(name, value, { ...options, expires: new Date(made.end), maxAge });
      },
    });

  return {
    /** This browser's session: the one that this request started, or else the one whose cookie it sent. */
    get session() {
      return has;
    },

    /** The session that this request started after its password was given, or `null` if it started none. */
    get started(): Session | null {
      const isLast = made && made.session.sessionId === has?.sessionId;
      return made && isLast && made.session.proved_at >= since ? made.session : null;
    },

    /** Moves this browser on to this session and sets its cookie. */
    goOnAs(session: Session, token: string): void {
      made = { session, token, end: absoluteEnd(session) };
      request().setSession(session);
      confirmation.take();
      has = { userId: session.user.userId, token, sessionId: session.sessionId };
    },

    /** Clears the cookie and forgets the session. */
    leave(): void {
      request().setSession(null);
      confirmation.take();
      has = null;
    },

    /** Clears the cookie of a session that has ended. The request still knows which session it was. */
    dropCookie(): void {
      request().setSession(null);
      confirmation.take();
    },
  };
}
