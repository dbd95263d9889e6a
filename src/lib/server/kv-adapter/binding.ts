/** A Lucia v2 session adapter on Workers KV. README.md in this folder describes the records, the costs and the limits. */
import type { InitializeAdapter, LuciaErrorConstructor, SessionAdapter } from 'lucia';
import { indexLayout } from './index-layout.js';
import { prefixesCollide, type KvPrefixes } from './keys.js';
import { ownerLayout } from './owner-layout.js';
import type { SessionKV } from './session-kv.js';

export type { KvPrefixes } from './keys.js';

/** How sessions become KV records. `index` accepts any session id. `owner` needs ids that begin with their user's id. */
export type SessionLayout = 'index' | 'owner';

const LAYOUTS = { index: indexLayout, owner: ownerLayout };

const DEFAULT_PREFIXES: KvPrefixes = { session: 'session', userSessions: 'user_sessions' };

/**
 * Makes the session adapter for `lucia({ adapter: { user, session } })`.
 *
 * @param ns the KV namespace binding of this request, for instance `platform.env.SESSIONS`
 * @param prefixes what the keys begin with, before a colon: `session:<session id>` and `user_sessions:<user id>`
 * @param options `layout`: see README.md, "Which layout"
 * @returns the adapter in the form that Lucia expects: a function of its error class. Each method rethrows KV's errors unchanged.
 * @throws Error if the binding is missing, if the two prefixes can produce the same key, or if the layout is unknown
 */
export function cloudflareKvBinding(
  ns: SessionKV,
  prefixes: KvPrefixes = DEFAULT_PREFIXES,
  options: { layout?: SessionLayout } = { layout: 'index' },
): InitializeAdapter<SessionAdapter> {
  const layout = options.layout ?? 'index';
  if (!ns) {
    throw new Error('[kv-adapter] no KV namespace was given: bind one in wrangler.toml and pass it here');
  }
  if (!Object.hasOwn(LAYOUTS, layout)) {
    throw new Error(`[kv-adapter] unknown layout "${layout}": use "index" or "owner"`);
  }
  if (prefixesCollide(prefixes)) {
    const { session, userSessions } = prefixes;
    throw new Error(
      `[kv-adapter] the prefixes "${session}" and "${userSessions}" can make the same key: choose two of which neither ` +
        'is the other or begins with the other and a colon',
    );
  }
  return (LuciaError: LuciaErrorConstructor) => LAYOUTS[layout](ns, prefixes, LuciaError);
}
