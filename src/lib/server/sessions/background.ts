import { setImmediate as nextTurn } from 'node:timers/promises';
import { BACKGROUND_DELETES_AT_ONCE } from '../policy';
import type { SessionRecords } from './records';
import type { RequestFacts } from './request-facts';

export type Background = ReturnType<typeof createBackground>;

/**
 * What tidies up once the answer is sent. It decides nothing: KV deletes may come late or fail, and then KV's own expiry and the ledger
 * see to it.
 */
export function createBackground(facts: RequestFacts, records: SessionRecords) {
  /** Begins a turn later, so that the answer does not stand in line behind a thousand deletes. Never rejects. */
  function run(work: () => Promise<unknown>): void {
    facts.waitUntil(nextTurn().then(work).catch(cleanupFailed));
  }

  return {
    run,

    /** Removes ended records from KV. They are dead already: the ledger says so. */
    remove(sessionIds: () => string[] | Promise<string[]>): void {
      run(async () => {
        const ids = [...new Set(await sessionIds())];
        const worker = async () => {
          for (let id = ids.pop(); id; id = ids.pop()) await records.remove(id).catch(cleanupFailed);
        };
        await Promise.all(Array.from({ length: Math.min(BACKGROUND_DELETES_AT_ONCE, ids.length) }, worker));
      });
    },
  };
}

function cleanupFailed(error: unknown): void {
  console.warn(JSON.stringify({ event: 'kv-cleanup-failed', message: String(error) }));
}
