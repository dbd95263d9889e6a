import { PROOF_PERIOD_MILLISECONDS } from '../policy';
import type { ConfirmedSession } from './confirmed';

const PROVEN: unique symbol = Symbol('proven');

/** A confirmed session whose password was given lately enough to end others (ASVS 7.5.1). Only the proof makes one. */
export type ProvenSession = ConfirmedSession & { readonly [PROVEN]: true };

/** Only for accounts/, right after the password was compared. */
export function proven(session: ConfirmedSession): ProvenSession {
  return { ...session, [PROVEN]: true };
}

/** The session with its proof, if the password was given in the last `PROOF_PERIOD_MILLISECONDS`; otherwise `null`. */
export function freshlyProven(session: ConfirmedSession): ProvenSession | null {
  return Date.now() - session.proved_at < PROOF_PERIOD_MILLISECONDS ? proven(session) : null;
}
