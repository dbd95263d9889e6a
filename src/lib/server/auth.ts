import { LuciaError } from 'lucia';
import { createAccounts } from './accounts/accounts';
import { createKeys } from './accounts/keys';
import { scryptPasswordHash, type PasswordHash } from './accounts/password';
import { userAdapter } from './accounts/user-adapter';
import { cloudflareKvBinding, type SessionKV, type SessionLayout } from './kv-adapter';
import { SESSIONS_LISTED_MAX } from './policy';
import { createBackground } from './sessions/background';
import { createConfirmation } from './sessions/confirmation';
import { createCurrent, type Current } from './sessions/current';
import { createDeviceKeys } from './sessions/device-keys';
import { createLedger } from './sessions/ledger';
import { createLucia } from './sessions/lucia';
import { createMoveNotes } from './sessions/moves';
import { createSessionRecords } from './sessions/records';
import type { RequestFacts } from './sessions/request-facts';
import { createSessions } from './sessions/sessions';
import { createSigner, type CookieSecrets } from './sessions/signer';
import { createThisBrowser } from './sessions/this-browser';
import { listingAtMost, type Stores } from './stores/guarded';
import { asCheck } from './stores/meter';
import { createDeviceCookie } from './throttle/known-browser';
import { createThrottle } from './throttle/throttle';
import { createTries } from './throttle/tries';

export type AuthOptions = {
  stores: Stores;
  /** Where session records are; left out, the KV of `stores`. */
  sessionKv?: SessionKV;
  layout: SessionLayout;
  facts: RequestFacts;
  /** Signs cookies and keys the throttle's ids; without it no browser is known as the account's own. */
  cookieSecrets?: CookieSecrets | undefined;
  /** Whether a browser that can binds a session to its device; `cookieMilliseconds` shortens the proof's life, for tests. */
  deviceBinding?: { cookieMilliseconds?: number } | null;
  passwordHash?: PasswordHash;
  users?: typeof userAdapter;
};

export type Auth = ReturnType<typeof createAuth>;

/**
 * What a request may ask of sessions and accounts. Nothing outlives the request: a database client shared between requests fails under
 * concurrency in Workers.
 */
export function createAuth({
  stores,
  sessionKv = stores.kv,
  layout,
  facts,
  cookieSecrets,
  deviceBinding = {},
  passwordHash = scryptPasswordHash,
  users: initializeUsers = userAdapter,
}: AuthOptions) {
  const users = initializeUsers(stores.db)(LuciaError);
  const adapterOver = (ns: SessionKV) => cloudflareKvBinding(ns, undefined, { layout })(LuciaError);
  const kvSessions = adapterOver(sessionKv);

  const ledgerOptions = { hasBindings: deviceBinding !== null };
  const ledger = createLedger(stores.db, ledgerOptions);
  const records = createSessionRecords(
    kvSessions,
    ledger,
    (userId) => adapterOver(listingAtMost(sessionKv, SESSIONS_LISTED_MAX)).getSessionsByUserId(userId),
    stores.deeds,
  );
  const lucia = createLucia({ sessions: kvSessions, records, users, cookie: facts.cookie });
  const signer = createSigner(cookieSecrets, new URL(facts.request.url).origin);
  const confirmation = createConfirmation(facts, signer);
  const browser = createThisBrowser(facts, lucia, confirmation);
  const background = createBackground(facts, records);
  const deviceKeys =
    deviceBinding &&
    createDeviceKeys({ ...deviceBinding, db: stores.db, facts, signer, browser, background });
  const current = asChecks(
    createCurrent({
      facts,
      lucia,
      ledger,
      ledgerOnce: createLedger(stores.dbOnce, ledgerOptions),
      browser,
      confirmation,
      deviceKeys,
      moves: createMoveNotes(stores.db, facts),
    }),
  );
  const sessions = createSessions({
    db: stores.db,
    facts,
    lucia,
    ledger,
    records,
    browser,
    background,
    deeds: stores.deeds,
  });

  const throttle = createThrottle(stores.db);
  const accounts = createAccounts({
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
  return { current, sessions, accounts, deviceKeys };
}

/** The same, and what it asks the stores is told as the check. */
function asChecks(current: Current): Current {
  return {
    ...current,
    peek: () => asCheck(current.peek),
    confirm: () => asCheck(current.confirm),
    require: () => asCheck(current.require),
    requireAsItIs: () => asCheck(current.requireAsItIs),
  };
}
