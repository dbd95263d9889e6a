// Wrangler bundles this file, outside Vite (svelte.config.js): nothing of $app or $env in here, or in what it imports.
import { CRON_PURGE_ROUNDS, PURGE_ROWS_AT_ONCE } from './policy';
import { purgeBindings } from './sessions/device-key-sql';
import { purge as purgeLedger } from './sessions/ledger-sql';
import { leftoverIn, removeLeftovers, selectLeftover } from './sessions/leftovers';
import { purge as purgeThrottle } from './throttle/throttle-sql';

/**
 * Where there is a cron (a Worker has one, Pages has none): deletes rows past their time, up to `CRON_PURGE_ROUNDS` times as many as a
 * sign-in does, and takes one step at what deleted accounts left in KV. What is left is for the next run.
 */
export async function purge({ SESSIONS, DB }: Pick<Env, 'SESSIONS' | 'DB'>): Promise<void> {
  for (let round = 0; round < CRON_PURGE_ROUNDS; round += 1) {
    const now = Date.now();
    const results = await DB.batch([...purgeLedger(DB, now), purgeBindings(DB, now), purgeThrottle(DB)]);
    if (results.every(({ meta }) => meta.changes < PURGE_ROWS_AT_ONCE)) break;
  }
  const userId = leftoverIn([await selectLeftover(DB).all()]);
  if (userId) await removeLeftovers({ kv: SESSIONS, db: DB }, userId);
}
