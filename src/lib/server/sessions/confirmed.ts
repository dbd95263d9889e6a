import type { Session } from 'lucia';

const CONFIRMED: unique symbol = Symbol('confirmed');

/**
 * A session that the ledger confirmed in this request. Code that shows or changes account data requires this type. A peek does not return
 * it.
 */
export type ConfirmedSession = Session & { readonly [CONFIRMED]: true };

/** Call it only for a session that the ledger has just confirmed. */
export function confirmed(session: Session): ConfirmedSession {
  return { ...session, [CONFIRMED]: true };
}

/** The session of this request has ended, or there is none. The code that catches this redirects to sign-in. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded';

  constructor() {
    super('[sessions] the session of this request has ended: sign in again');
  }
}
