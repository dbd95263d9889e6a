import type { Session } from 'lucia';

const CONFIRMED: unique symbol = Symbol('confirmed');

/**
 * A session that the ledger said stands, in this request. What shows or changes account data takes this type; what a peek returns is
 * a plain `Session` and does not fit.
 */
export type ConfirmedSession = Session & { readonly [CONFIRMED]: true };

/** Only for what has just had the ledger's yes. */
export function confirmed(session: Session): ConfirmedSession {
  return { ...session, [CONFIRMED]: true };
}

/** The session that asked no longer stands, or there is none: whoever catches this leads to the sign-in page. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded';

  constructor() {
    super('[sessions] the session of this request has ended: sign in again');
  }
}
