import { hash, randomBytes } from 'node:crypto';
import { TOKEN_BYTES } from '../policy';

/** What a session cookie says, once it has the right form. The token itself stays inside this module and the cookie. */
export type PresentedSession = { userId: string; sessionId: string; token: string };

// <userId>.<token>: a Lucia user id, and 32 bytes in base64url without padding.
const COOKIE_FORM = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/;
const SESSION_ID_FORM = COOKIE_FORM;

/** A new session token: `TOKEN_BYTES` from the system's CSPRNG, in base64url (ASVS 7.2.3). */
export function createToken(): string {
  return randomBytes(TOKEN_BYTES).toString('base64url');
}

/** The id under which a token's session is stored and shown: its owner and the token's SHA-256 in base64url. */
export function sessionIdFor(userId: string, token: string): string {
  return `${userId}.${hash('sha256', token, 'base64url')}`;
}

/** The cookie value for a session: `<userId>.<token>`. */
export function cookieValueFor(userId: string, token: string): string {
  return `${userId}.${token}`;
}

/** Reads a cookie value; `null` when it is not of the form this app gives out, so that it costs no KV read. */
export function parseCookieValue(value: string | undefined): PresentedSession | null {
  const match = COOKIE_FORM.exec(value ?? '');
  if (!match?.[1] || !match[2]) return null;
  const [, userId, token] = match;
  return { userId, token, sessionId: sessionIdFor(userId, token) };
}

/** Whether `sessionId` has the form of an id of one of this user's sessions. */
export function isSessionIdOf(userId: string, sessionId: string): boolean {
  return SESSION_ID_FORM.exec(sessionId)?.[1] === userId;
}
