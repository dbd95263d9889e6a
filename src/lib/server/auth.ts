import { createAccounts, type Accounts } from './accounts/accounts';
import { createKeys } from './accounts/keys';
import { scryptPasswordHash, type PasswordHash } from './accounts/password';
import { userAdapter } from './accounts/user-adapter';
import type { SessionKV, SessionLayout } from './kv-adapter';
import { createDeviceKeys } from './sessions/device-keys';
import { createMoveNotes } from './sessions/moves';
import { createForRequest } from './sessions/per-request';
import type { RequestFacts } from './sessions/request-facts';
import type { CookieSecrets } from './sessions/signer';
import type { Stores } from './stores/guarded';
import { createDeviceCookie } from './throttle/known-browser';
import { createThrottle } from './throttle/throttle';
import { createTries } from './throttle/tries';

export type AuthOptions = {
  stores: Stores;
  /** Where session records are stored. Defaults to the KV of `stores`. */
  sessionKv?: SessionKV;
  layout: SessionLayout;
  facts: RequestFacts;
  /** Signs cookies and keys the throttle's ids. Without it, no browser is recognized as the account's own. */
  cookieSecrets?: CookieSecrets | undefined;
  /** Whether a browser that supports it binds its session to the device. `cookieMilliseconds` shortens the life of the proof, for tests. */
  deviceBinding?: { cookieMilliseconds?: number } | null;
  passwordHash?: PasswordHash;
  users?: typeof userAdapter;
};

export type Auth = ReturnType<typeof createAuth>;

/**
 * The sessions and accounts API of one request. It keeps nothing for the next request. All but `peek` is made on first use, because
 * most page views need no more.
 */
export function createAuth({
  stores,
  sessionKv,
  layout,
  facts,
  cookieSecrets,
  deviceBinding = {},
  passwordHash = scryptPasswordHash,
  users: initializeUsers = userAdapter,
}: AuthOptions) {
  const { peek, parts } = createForRequest({
    stores,
    sessionKv,
    layout,
    facts,
    cookieSecrets,
    users: initializeUsers(stores.db),
    deviceKeys:
      deviceBinding && ((own) => createDeviceKeys({ ...deviceBinding, ...own, db: stores.db, facts })),
    moves: createMoveNotes(stores.db, facts),
  });

  let accounts: Accounts | undefined;
  function accountsOfRequest(): Accounts {
    const { users, ledger, signer, background, sessions } = parts();
    const throttle = createThrottle(stores.db);
    return createAccounts({
      facts,
      ledger,
      background,
      stores,
      sessions,
      keys: createKeys(stores.db, { users, ledger, passwordHash }),
      throttle,
      tries: createTries(throttle, () => facts.address, cookieSecrets?.current),
      knownBrowser: createDeviceCookie(facts.cookies, facts.cookie.secure, signer),
      passwordHash,
    });
  }

  return {
    peek,
    get current() {
      return parts().current;
    },
    get sessions() {
      return parts().sessions;
    },
    get deviceKeys() {
      return parts().deviceKeys;
    },
    get accounts() {
      return (accounts ??= accountsOfRequest());
    },
  };
}
