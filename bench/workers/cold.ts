/** The built app in bare workerd, on a KV that holds one session and a D1 that is not to be asked. */
import app from '../../.svelte-kit/cloudflare/_worker.js';

export default {
  fetch(request: Request, { RECORD }: { RECORD: string }, ctx: ExecutionContext) {
    const SESSIONS = { get: async () => RECORD };
    return app.fetch(request, { SESSIONS, DB: {}, SHOW_COST: 'off' }, ctx);
  },
};
