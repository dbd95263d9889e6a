import { json } from '@sveltejs/kit';
import { STORE_SLOW_MILLISECONDS } from '$lib/server/policy';
import type { RequestHandler } from './$types';

export const trailingSlash = 'ignore';

/**
 * Reports whether both stores answer a read, and whether they are slow. It only reads: a probe every minute must not use up the day's KV
 * writes, deletes and lists (1,000 of each on the free plan). So it knows nothing about those, and a header says so. It does not retry,
 * because a store that fails once is not healthy.
 */
export const GET: RequestHandler = async ({ locals }) => {
  const { kv, dbOnce } = locals.stores;
  const [kvState, d1State] = await Promise.all([
    stateOf(() => kv.get('healthz')),
    stateOf(() => dbOnce.prepare('SELECT 1 FROM User LIMIT 1').first()),
  ]);
  const isDown = kvState === 'down' || d1State === 'down';
  return json(
    { kv: kvState, d1: d1State },
    { status: isDown ? 503 : 200, headers: { 'x-not-asked': 'kv put, kv delete, kv list, d1 writes' } },
  );
};

/** `slow`: it answered, but only after `STORE_SLOW_MILLISECONDS` or more. */
async function stateOf(probe: () => Promise<unknown>): Promise<'ok' | 'slow' | 'down'> {
  const begun = Date.now();
  try {
    await probe();
    return Date.now() - begun < STORE_SLOW_MILLISECONDS ? 'ok' : 'slow';
  } catch {
    return 'down';
  }
}
