import type { Binding } from './device-key-sql';
import { absoluteEnd } from './lifetime';
import type { Moves } from './moves-sql';

/** What D1 knows, as of one moment, about a user and the sessions it was asked about. */
export type Standing = {
  username: string;
  epoch: number;
  /** Why each revoked session was revoked. */
  revoked: Map<string, Reason>;
  /** Where sessions were used elsewhere. */
  moves: Map<string, Moves>;
  /** The bindings of sessions that are bound to their device. */
  bindings: Map<string, Binding>;
};

/** Why a session was revoked. `replaced`: its own browser signed in again or rotated its token. */
export type Reason = 'revoked' | 'signed-out' | 'replaced';

/** The parts of a session that the rule below needs. */
export type Confirmed = { sessionId: string; epoch: number; created_at: number };

/** Whether a session may act, given the ledger's answer. This is the one rule behind "revoked means revoked". */
export function stands(session: Confirmed, standing: Standing | null): boolean {
  return (
    standing !== null &&
    session.epoch === standing.epoch &&
    !standing.revoked.has(session.sessionId) &&
    Date.now() < absoluteEnd(session)
  );
}
