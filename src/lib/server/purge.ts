// Wrangler bundles this file outside Vite (svelte.config.js), so neither it nor anything it imports may use $app or $env.
import { CRON_PURGE_ROUNDS, PURGE_ROWS_AT_ONCE } from './policy';
import { purgeBindings } from './sessions/device-key-sql';
import { purge as purgeLedger } from './sessions/ledger-sql';
import { leftoverIn, removeLeftovers, selectLeftover } from './sessions/leftovers';
import { purge as purgeThrottle } from './throttle/throttle-sql';

/**
 * Runs from a cron, which a Worker has and Pages does not. Deletes expired rows, up to `CRON_PURGE_ROUNDS` times as many as a sign-in does,
 * and takes one step at removing what deleted accounts left in KV. The next run does the rest.
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
