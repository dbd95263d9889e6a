import { hash, randomBytes } from 'node:crypto';
import { TOKEN_BYTES } from '../policy';

/** The content of a session cookie that has the right form. Only the id is ever stored, never the token. */
export type PresentedSession = { userId: string; token: string; readonly sessionId: string };

// <userId>.<token>: a Lucia user id, and 32 bytes in base64url without padding.
const COOKIE_FORM = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;
const SESSION_ID_FORM = COOKIE_FORM;

/** Creates a session token: `TOKEN_BYTES` from the system's CSPRNG, in base64url (ASVS 7.2.3). */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** Returns the id under which a token's session is stored and shown: its owner and the token's SHA-256 in base64url. */
export function sessionIdFor(userId: string, token: string): string {
  return `${userId}.${hash('sha256', token, 'base64url')}`;
}

/** Returns the cookie value of a session: `<userId>.<token>`. */
export function cookieValueFor(userId: string, token: string): string {
  return `${userId}.${token}`;
}

/** Reads a cookie value. `null` if it does not have the form of this app's cookies; then no KV read is needed. */
export function parseCookieValue(value: string | undefined): PresentedSession | null {
  const match = COOKIE_FORM.exec(value ?? '');
  if (!match?.[1] || !match[2]) return null;
  const [, userId, token] = match;
  let sessionId: string | undefined;
  return {
    userId,
    token,
    // Hashed on first use: a page view with a fresh confirmation does not need it.
    get sessionId() {
      return (sessionId ??= sessionIdFor(userId, token));
    },
  };
}

/** Whether `sessionId` has the form of one of this user's session ids. */
export function isSessionIdOf(userId: string, sessionId: string): boolean {
  return SESSION_ID_FORM.exec(sessionId)?.[1] === userId;
}
