import { json } from '@sveltejs/kit';
import type { RequestHandler } from './$types';

export const trailingSlash = 'ignore';

/** Whether both stores answer. It reads only: a probe every few seconds must not spend the day's KV writes. */
export const GET: RequestHandler = async ({ locals }) => {
  const { kv, db } = locals.stores;
  const [kvState, d1State] = await Promise.all([
    stateOf(() => kv.get('healthz')),
    stateOf(() => db.prepare('SELECT 1 FROM User LIMIT 1').first()),
  ]);
  const healthy = kvState === 'ok' && d1State === 'ok';
  return json({ kv: kvState, d1: d1State }, { status: healthy ? 200 : 503 });
};

async function stateOf(probe: () => Promise<unknown>): Promise<'ok' | 'down'> {
  try {
    await probe();
    return 'ok';
  } catch {
    return 'down';
  }
}
