import { isTableDown } from '../stores/guarded';
import { createLedger, type Ledger } from './ledger';

/** A ledger that keeps working when D1 cannot read its events. Ending a session must not depend on events that only inform the user. */
export function createLedgerThatGoesOn(db: D1Database, options: { hasBindings: boolean }): Ledger {
  const ledger = createLedger(db, options);
  const bare = () => createLedger(db, { ...options, hasEvents: false });
  return {
    ...ledger,
    standing: orElse(ledger.standing, () => bare().standing),
    signOut: orElse(ledger.signOut, () => bare().signOut),
    end: orElse(ledger.end, () => bare().end),
    endSome: orElse(ledger.endSome, () => bare().endSome),
    endAll: orElse(ledger.endAll, () => bare().endAll),
    endOthers: orElse(ledger.endOthers, () => bare().endOthers),
  };
}

function orElse<Args extends unknown[], Answer>(
  ask: (...args: Args) => Promise<Answer>,
  withoutEvents: () => (...args: Args) => Promise<Answer>,
): (...args: Args) => Promise<Answer> {
  return async (...args) => {
    try {
      return await ask(...args);
    } catch (error) {
      if (!isTableDown(error, 'SecurityEvent')) throw error;
      return withoutEvents()(...args);
    }
  };
}
