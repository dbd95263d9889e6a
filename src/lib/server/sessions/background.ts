import { setImmediate as nextTurn } from 'node:timers/promises';
import { BACKGROUND_DELETES_AT_ONCE } from '../policy';
import type { SessionRecords } from './records';
import type { RequestFacts } from './request-facts';

export type Background = ReturnType<typeof createBackground>;

/**
 * Cleanup that runs after the response is sent. Nothing depends on it: if a KV delete is late or fails, KV's own expiry and the ledger
 * cover it.
 */
export function createBackground(facts: RequestFacts, records: SessionRecords) {
  /** Starts one turn later, so that the response does not wait behind a thousand deletes. Never rejects. */
  function run(work: () => Promise<unknown>): void {
    facts.waitUntil(nextTurn().then(work).catch(cleanupFailed));
  }

  return {
    run,

    /** Deletes ended records from KV. The ledger already says that they have ended. */
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
