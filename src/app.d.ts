import type { BreachLookup } from '$lib/server/accounts/breach';
import type { Auth } from '$lib/server/auth';
import type { Claim } from '$lib/server/http/claims';
import type { RequestFacts } from '$lib/server/sessions/request-facts';
import type { StoreName, Stores } from '$lib/server/stores/guarded';
import type { Device, Place } from '$lib/session-view';

declare global {
  namespace App {
    interface Platform {
      env: Env;
      ctx: ExecutionContext;
      cf?: IncomingRequestCfProperties;
    }
    interface Locals {
      /** KV and D1, made for this request as all of these are; hooks.server.ts sets them. */
      stores: Stores;
      /** Cookies, address, device and place of the request. */
      facts: RequestFacts;
      /** Who is here, and what they may do with sessions and accounts. */
      auth: Auth;
      /** Whether answers say what they cost (`vars.SHOW_COST`). */
      showCost: boolean;
      /** Whether `/race` is there (`vars.RACE`). */
      hasRace: boolean;
      /** Where this app's source is (`vars.SOURCE_URL`). */
      sourceUrl: string | null;
      /** Asks whether a password leaked, where `vars.BREACH_CHECK` says so. */
      isBreached: BreachLookup | null;
    }
    interface PageData {
      /** The user that the forms of a page are made for. */
      userId?: string | null;
    }
    interface Error {
      message: string;
      /** The store that did not answer, on a 503. */
      store?: StoreName;
      /** What may be said of what was asked. */
      claim?: Claim;
      /** Whether the page is to try again by itself: a session that is bound to its device came without proof. */
      retry?: boolean;
    }
  }

  /** The bindings of wrangler.toml. */
  interface Env {
    SESSIONS: KVNamespace;
    DB: D1Database;
    SESSION_LAYOUT?: string;
    COOKIE_SECRET?: string;
    COOKIE_SECRET_PREVIOUS?: string;
    DEVICE_BINDING?: string;
    /** Of tests: a shorter life of the bound cookie. */
    BOUND_COOKIE_SECONDS?: string;
    BREACH_CHECK?: string;
    SHOW_COST?: string;
    RACE?: string;
    SOURCE_URL?: string;
  }

  namespace Lucia {
    type Auth = import('$lib/server/sessions/lucia').SessionLucia;
    type DatabaseUserAttributes = { username: string };
    type DatabaseSessionAttributes = {
      /** Sign-in time, epoch milliseconds; the absolute lifetime counts from it. */
      created_at: number;
      /** When the password was last given, epoch milliseconds. */
      proved_at: number;
      /** `User.session_epoch` at sign-in. */
      epoch: number;
      /** A copy for the KV-only read. */
      username: string;
      device: Device;
      place: Place;
      /** What its user calls the session. */
      name?: string;
    };
  }
}

export {};
