/** The wire format of Device Bound Session Credentials (W3C draft): what the browser is sent, and what it sends. */
import { json } from '@sveltejs/kit';

const BIND_PATH = '/session/bind';
const REFRESH_PATH = '/session/refresh';

/** The value of `Secure-Session-Registration`: offers the browser to bind the session that this response starts. */
export function registrationOffer(challenge: string): string {
  return `(ES256);path="${BIND_PATH}";challenge="${challenge}"`;
}

/** The proof in a request: a JWT, either bare or as a structured-field string. */
export function proofOf({ headers }: Request): string | null {
  return headers.get('secure-session-response')?.replace(/^"(.*)"$/, '$1') ?? null;
}

/** The browser's name for the binding that it refreshes. */
export function bindingIdOf({ headers }: Request): string | null {
  return headers.get('sec-secure-session-id')?.replace(/^"(.*)"$/, '$1') ?? null;
}

/**
 * Tells the browser how to keep the binding: which cookie it needs and where to get the next one. The attributes must equal those that the
 * cookie is set with; otherwise the browser would refresh on every request.
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

/** Tells the browser that the binding has ended. */
export function bindingEnded(bindingId: string): Response {
  return json({ session_identifier: bindingId, continue: false });
}

/** Asks for a proof. The browser understands only status 403. */
export function challenged(bindingId: string, challenge: string): Response {
  return new Response(null, {
    status: 403,
    headers: { 'secure-session-challenge': `"${challenge}";id="${bindingId}"` },
  });
}
