/** Uses the adapter exactly as Lucia's documentation shows for this kind of adapter. */
import { KVNamespace } from '@miniflare/kv';
import { MemoryStorage } from '@miniflare/storage-memory';
import { LuciaError } from 'lucia';
import cloudflareKvBinding from 'pages-sessions-kv-adapter';

const ns = new KVNamespace(new MemoryStorage());
const adapters = [
  cloudflareKvBinding(ns),
  cloudflareKvBinding(ns, { session: 'my_session', userSessions: 'my_user_sessions' }),
];
for (const initialize of adapters) {
  const { setSession, getSession } = initialize(LuciaError);
  const expires = Date.now() + 100_000;
  await setSession({ id: 'one', user_id: 'ada', active_expires: expires, idle_expires: expires });
  console.log((await getSession('one'))?.user_id);
}
console.log((await ns.list()).keys.map(({ name }) => name).join(' '));
