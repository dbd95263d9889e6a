import { PROOF_PERIOD_MILLISECONDS } from '../policy';
import type { ConfirmedSession } from './confirmed';

const PROVEN: unique symbol = Symbol('proven');

/** A confirmed session whose password was given recently enough to end other sessions (ASVS 7.5.1). Only `proven` makes one. */
export type ProvenSession = ConfirmedSession & { readonly [PROVEN]: true };

/** Only for callers that have just checked the password. */
export function proven(session: ConfirmedSession): ProvenSession {
  return { ...session, [PROVEN]: true };
}

/** Returns the session with its proof if the password was given within the last `PROOF_PERIOD_MILLISECONDS`; otherwise `null`. */
export function freshlyProven(session: ConfirmedSession): ProvenSession | null {
  return Date.now() - session.proved_at < PROOF_PERIOD_MILLISECONDS ? proven(session) : null;
}
