import type { Session } from 'lucia';
import type { Confirmation } from './confirmation';
import { absoluteEnd } from './lifetime';
import type { SessionLucia } from './lucia';
import type { RequestFacts } from './request-facts';
import { cookieValueFor } from './token';

export type ThisBrowser = ReturnType<typeof createThisBrowser>;

/**
 * The browser that sent the request, and its session cookie, with the token on the outside and its hash on the inside: Lucia sees session
 * ids alone. Whatever changes the session takes the confirmation of the one before away. The cookie lives as long as its session can, so a renewal sends none, and no late answer puts an old token over a new one.
 */
export function createThisBrowser(facts: RequestFacts, lucia: SessionLucia, confirmation: Confirmation) {
  const { presented, cookies } = facts;
  let has: { userId: string; sessionId: string } | null = presented;
  let made: { session: Session; token: string; end: number } | undefined;
  const since = Date.now();

  // Made when it is first asked for: a peek does without.
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
        // A browser whose clock is wrong goes by Max-Age.
        const maxAge = Math.max(Math.floor((made.end - Date.now()) / 1_000), 0);
        cookies.set(name, value, { ...options, expires: new Date(made.end), maxAge });
      },
    });

  return {
    /** The session that this browser has: the one that this request gave it, or else the one whose cookie it sent. */
    get session() {
      return has;
    },

    /** The session that this request gave the browser, with its password given in this request; `null` when it gave none. */
    get started(): Session | null {
      const isLast = made && made.session.sessionId === has?.sessionId;
      return made && isLast && made.session.proved_at >= since ? made.session : null;
    },

    /** From here on the browser has this session: its cookie is set. */
    goOnAs(session: Session, token: string): void {
      made = { session, token, end: absoluteEnd(session) };
      request().setSession(session);
      confirmation.take();
      has = { userId: session.user.userId, sessionId: session.sessionId };
    },

    /** The cookie goes. */
    leave(): void {
      request().setSession(null);
      confirmation.take();
      has = null;
    },

    /** The cookie of a session that has ended goes, but the request still knows which it was. */
    dropCookie(): void {
      request().setSession(null);
      confirmation.take();
    },
  };
}
