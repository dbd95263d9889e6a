/** The exact public API of the package. If this stops compiling, the change is breaking. */
import type { InitializeAdapter, SessionAdapter } from 'lucia';
import * as adapter from 'pages-sessions-kv-adapter';
import type { KvPrefixes, SessionKV, SessionLayout } from 'pages-sessions-kv-adapter';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`. */
function holds<_Claim extends true>() {}

holds<Equal<keyof typeof adapter, 'cloudflareKvBinding' | 'default' | 'sessionOwner'>>();
holds<Equal<typeof adapter.default, typeof adapter.cloudflareKvBinding>>();

holds<
  Equal<
    typeof adapter.cloudflareKvBinding,
    (
      ns: SessionKV,
      prefixes?: KvPrefixes,
      options?: { layout?: SessionLayout },
    ) => InitializeAdapter<SessionAdapter>
  >
>();
holds<Equal<typeof adapter.sessionOwner, (sessionId: string) => string | null>>();
holds<Equal<SessionLayout, 'index' | 'owner'>>();
holds<Equal<KvPrefixes, { session: string; userSessions: string }>>();
holds<Equal<keyof SessionKV, 'get' | 'put' | 'delete' | 'list'>>();
holds<KVNamespace extends SessionKV ? true : false>();

// @ts-expect-error a layout is one of two words
adapter.cloudflareKvBinding({} as KVNamespace, undefined, { layout: 'hash' });
// @ts-expect-error the binding is needed
adapter.cloudflareKvBinding();
// @ts-expect-error D1 is no KV
adapter.cloudflareKvBinding({} as D1Database);
// @ts-expect-error both prefixes or none
adapter.cloudflareKvBinding({} as KVNamespace, { session: 's' });
// @ts-expect-error what is not exported is out of reach
export type * from 'pages-sessions-kv-adapter/keys.js';
