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
      /** KV and D1, guarded. Created for each request in hooks.server.ts, as is everything here. */
      stores: Stores;
      /** The request's cookies, address, device and place. */
      facts: RequestFacts;
      /** Who is signed in, and what they may do with sessions and accounts. */
      auth: Auth;
      /** Whether responses report their cost (`vars.SHOW_COST`). */
      showCost: boolean;
      /** Whether the page `/race` exists (`vars.RACE`). */
      hasRace: boolean;
      /** The address of this app's source (`vars.SOURCE_URL`). */
      sourceUrl: string | null;
      /** Checks whether a password was leaked. `null` unless `vars.BREACH_CHECK` turns it on. */
      isBreached: BreachLookup | null;
    }
    interface PageData {
      /** The user that the page's forms are made for. */
      userId?: string | null;
    }
    interface Error {
      message: string;
      /** On a 503: the store that did not answer. */
      store?: StoreName;
      /** What the page may claim about the requested change. */
      claim?: Claim;
      /** Whether the page should reload itself. Set when a session is bound to its device and the request came without proof. */
      retry?: boolean;
    }
  }

  /** The bindings in wrangler.toml. */
  interface Env {
    SESSIONS: KVNamespace;
    DB: D1Database;
    SESSION_LAYOUT?: string;
    COOKIE_SECRET?: string;
    COOKIE_SECRET_PREVIOUS?: string;
    DEVICE_BINDING?: string;
    /** Only for tests: a shorter lifetime of the bound cookie. */
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
      /** When the password was last entered, epoch milliseconds. */
      proved_at: number;
      /** `User.session_epoch` at sign-in. */
      epoch: number;
      /** A copy, so that a read from KV alone has it. */
      username: string;
      device: Device;
      place: Place;
      /** The name that the user gave the session. */
      name?: string;
    };
  }
}

export {};
