/** Device Bound Session Credentials as they are on the wire (W3C draft): what is sent to the browser, and what it sends. */
import { json } from '@sveltejs/kit';

const BIND_PATH = '/session/bind';
const REFRESH_PATH = '/session/refresh';

/** The value of `Secure-Session-Registration`: the browser may bind the session that this answer begins. */
export function registrationOffer(challenge: string): string {
  return `(ES256);path="${BIND_PATH}";challenge="${challenge}"`;
}

/** The proof that a request carries: a JWT, bare or as a string of structured fields. */
export function proofOf({ headers }: Request): string | null {
  return headers.get('secure-session-response')?.replace(/^"(.*)"$/, '$1') ?? null;
}

/** What the browser calls the binding that it refreshes. */
export function bindingIdOf({ headers }: Request): string | null {
  return headers.get('sec-secure-session-id')?.replace(/^"(.*)"$/, '$1') ?? null;
}

/**
 * Tells the browser how to keep the binding: which cookie to wait for, and where to get the next. The attributes are those that the cookie is
 * set with: at a difference the browser would refresh with every request.
 */
export function instructions(origin: string, bindingId: string): Response {
  return json({
    session_identifier: bindingId,
    refresh_url: REFRESH_PATH,
    scope: { origin, include_site: false, scope_specification: [] },
    credentials: [
      { type: 'cookie', name: '__Host-bound', attributes: 'Path=/; Secure; HttpOnly; SameSite=Lax' },
    ],
  });
}

/** Tells the browser that there is nothing to keep any more. */
export function bindingEnded(bindingId: string): Response {
  return json({ session_identifier: bindingId, continue: false });
}

/** Asks for a proof. Any other status than 403 would not do. */
export function challenged(bindingId: string, challenge: string): Response {
  return new Response(null, {
    status: 403,
    headers: { 'secure-session-challenge': `"${challenge}";id="${bindingId}"` },
  });
}
