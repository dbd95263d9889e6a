import type { Binding } from './device-key-sql';
import { absoluteEnd } from './lifetime';
import type { Moves } from './moves-sql';

/** What D1 knows, at one moment, of a user and of those of their sessions that it was asked about. */
export type Standing = {
  username: string;
  epoch: number;
  /** Of the sessions that were revoked, why. */
  revoked: Map<string, Reason>;
  /** Of the sessions that were used elsewhere, where. */
  moves: Map<string, Moves>;
  /** Of the sessions that are bound to their device, how. */
  bindings: Map<string, Binding>;
};

/** Why a session was revoked. `replaced`: its own browser signed in again, or goes on under another token. */
export type Reason = 'revoked' | 'signed-out' | 'replaced';

/** What the rule below asks of a session. */
export type Confirmed = { sessionId: string; epoch: number; created_at: number };

/** Whether a session may act, given what the ledger said: the one rule behind "revoked means revoked". */
export function stands(session: Confirmed, standing: Standing | null): boolean {
  return (
    standing !== null &&
    session.epoch === standing.epoch &&
    !standing.revoked.has(session.sessionId) &&
    Date.now() < absoluteEnd(session)
  );
}
