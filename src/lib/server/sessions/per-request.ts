import { LuciaError, type InitializeAdapter, type UserAdapter } from 'lucia';
import { cloudflareKvBinding, type SessionKV, type SessionLayout } from '../kv-adapter';
import { SESSIONS_LISTED_MAX } from '../policy';
import { listingAtMost, type Stores } from '../stores/guarded';
import { createBackground, type Background } from './background';
import { createConfirmation, type Confirmation } from './confirmation';
import { createCurrent, type Viewer } from './current';
import type { DeviceKeys } from './device-keys';
import { createLedgerThatGoesOn } from './going-on';
import { createLucia } from './lucia';
import type { MoveNotes } from './moves';
import { createSessionRecords } from './records';
import type { RequestFacts } from './request-facts';
import { createSessions } from './sessions';
import { createSigner, type CookieSecrets, type Signer } from './signer';
import { createThisBrowser, type ThisBrowser } from './this-browser';

export type RequestOptions = {
  stores: Stores;
  /** Where session records are stored. Defaults to the KV of `stores`. */
  sessionKv?: SessionKV | undefined;
  layout: SessionLayout;
  facts: RequestFacts;
  /** Signs confirmations. Without it, every page view asks the stores. */
  cookieSecrets?: CookieSecrets | undefined;
  users: InitializeAdapter<UserAdapter>;
  /** Creates the part that binds sessions to their device. `null`: no session is bound. */
  deviceKeys:
    ((parts: { signer: Signer | null; browser: ThisBrowser; background: Background }) => DeviceKeys) | null;
  /** Records that a session is used from elsewhere. */
  moves: MoveNotes;
};

/**
 * Assembles the sessions of one request for the app (auth.ts) and for the kit (revocable/). It keeps nothing for the next request. A
 * page view whose confirmation is fresh asks no store, so the parts that do are made only when `parts` is called.
 */
export function createForRequest(options: RequestOptions) {
  const { facts, cookieSecrets } = options;
  const signer = createSigner(cookieSecrets, facts.url.origin);
  const confirmation = createConfirmation(facts, signer);
  let made: Parts | undefined;
  const parts = (): Parts => (made ??= createParts(options, signer, confirmation));

  return {
    parts,

    /**
     * Returns whom to greet. While a confirmation is fresh it asks no store. Otherwise it confirms, but never makes the page wait long
     * (`viewer` of current.ts). No decision may depend on it.
     */
    async peek(): Promise<Viewer> {
      // An action of this request may have moved the browser on to another session, or to none.
      const session = made ? made.browser.session : facts.presented;
      if (!session) return null;
      return (await confirmation.freshFor(session)) ?? parts().current.viewer();
    },
  };
}

type Parts = ReturnType<typeof createParts>;

function createParts(options: RequestOptions, signer: Signer | null, confirmation: Confirmation) {
  const { stores, sessionKv = stores.kv, layout, facts, moves } = options;
  const adapterOver = (ns: SessionKV) => cloudflareKvBinding(ns, undefined, { layout })(LuciaError);
  const kvSessions = adapterOver(sessionKv);
  const users = options.users(LuciaError);

  const ledger = createLedgerThatGoesOn(stores.db, { hasBindings: options.deviceKeys !== null });
  const records = createSessionRecords(
    kvSessions,
    ledger,
    async (userId) => {
      const listing = listingAtMost(sessionKv, SESSIONS_LISTED_MAX);
      const sessions = await adapterOver(listing).getSessionsByUserId(userId);
      return { sessions, more: listing.isCut };
    },
    stores.deeds,
  );
  const lucia = createLucia({ sessions: kvSessions, records, users, cookie: facts.cookie });
  const browser = createThisBrowser(facts, lucia, confirmation);
  const background = createBackground(facts, records);
  const deviceKeys = options.deviceKeys?.({ signer, browser, background }) ?? null;
  const current = createCurrent({
    facts,
    lucia,
    ledger,
    dbOnce: stores.dbOnce,
    browser,
    confirmation,
    deviceKeys,
    moves,
  });
  const { db, deeds } = stores;
  const sessions = createSessions({ db, facts, lucia, ledger, records, browser, background, deeds });
  return { users, ledger, signer, browser, background, deviceKeys, current, sessions };
}
