/** The world in which a history runs, and the outcome of its requests. */
import type { Session } from 'lucia';
import type { AuthOptions } from '$lib/server/auth';
import type { Viewer } from '$lib/server/sessions/current';
import type { Browser } from '../setup/browser';
import type { ACTIONS } from './histories';
import type { HostileKV, TrueRecord } from './hostile-kv';
import type { KnownAccount, KnownSession } from './model';
import type { D1Counters, StepHooks } from './steps';

/** A D1 with hooks per client: the simulated one, or a real one that is observed. */
export type ObservedD1 = {
  connect: (hooks?: StepHooks, place?: string) => D1Database;
  counters: D1Counters;
};

/** How often each thing happened, over all histories. It shows that the histories test something. */
export type Tally = Record<string, number>;

export type HistoryOptions = {
  d1: ObservedD1;
  users?: AuthOptions['users'];
  /** Waits for the unfinished work of a request that failed half-way, so that it is not counted for the next one. */
  drain?: () => Promise<unknown>;
  tally: Tally;
  /** Whether a request that costs more or less than published breaks a promise. */
  checkCosts: boolean;
  /** Sets the value of `Date.now()`, epoch milliseconds. */
  setClock: (time: number) => void;
  /** What the app wrote to the console. Each history clears it. */
  logged: string[];
};

export type World = HistoryOptions & {
  kv: HostileKV;
  /** `count()`: the number of failures so far. */
  d1Failures: StepHooks & { count(): number };
  failing: boolean;
  places: readonly string[];
  browsers: Browser[];
  /** The address from which this history's requests come. */
  address: string;
  /** By user number, the account that has the name now; and all accounts that ever existed. */
  accounts: KnownAccount[];
  allAccounts: KnownAccount[];
  /** By cookie. */
  sessions: Map<string, KnownSession>;
  /** How far the clock of the responding machine is from KV's, milliseconds. */
  skew: number;
  /** Every confirmation that a browser ever got. */
  confirmations: string[];
  /** The last one of each browser. */
  lastConfirmation: Map<Browser, string>;
  /** By key, the last known version of each record. */
  deletedRecords: Map<string, TrueRecord>;
};

export type Act = {
  action: (typeof ACTIONS)[number];
  browser: number;
  place: string;
  user: number;
  target: number;
  crashAfter: number | null;
};

/** `refused`: the app redirected the browser to the sign-in page. `unavailable`: a store failed. `lost`: there was no response. */
type Outcome = 'answered' | 'refused' | 'unavailable' | 'lost';

export type Done = {
  outcome: Outcome;
  /** The result of the app's function, if it returned. */
  value: unknown;
  /** The confirmed session. */
  session: Session | null;
  /** The user whom a page view greeted. */
  viewer: Viewer;
  /** The session whose cookie the request sent. */
  actor: KnownSession | undefined;
  /** What was known of the session when the request began. */
  fateBefore: KnownSession['fate'] | undefined;
  /** How the account knew the browser of a sign-in. `former`: it signed in before the current password or account existed. */
  device: 'own' | 'former' | 'new';
  /** The offer to bind the session, in the response. */
  offer: string | null;
  /** Whether the request read a record from KV. */
  asked: boolean;
  /** Whether KV refused a write or did not answer it. */
  putRefused: boolean;
  /** The session that a revoke or a rename was for. */
  target: KnownSession | undefined;
  targetFateBefore: KnownSession['fate'] | undefined;
  password: string;
  newPassword: string;
  /** The cookie before, and the one that the response set. */
  presented: string | undefined;
  received: string | undefined;
  cleared: boolean;
};

/** The difference between two machines, milliseconds. */
export const CLOCKS_DIFFER_BY_MILLISECONDS = 1_000;

/** How often something that may fail at random is repeated. */
export const TRIES = 30;

/** A history broke a promise of the design. */
export class BrokenPromise extends Error {
  override name = 'BrokenPromise';
}

export function expect(holds: boolean, promise: string): void {
  if (!holds) throw new BrokenPromise(`broken promise: ${promise}`);
}

/** Returns whether guessing was slowed down; then nothing else happened. */
export function isThrottled(value: unknown): boolean {
  return value !== null && typeof value === 'object' && 'retryAfterSeconds' in value;
}

export function accountOf(world: World, act: Act): KnownAccount {
  const account = world.accounts[act.user];
  if (!account) throw new Error('[histories] no such user');
  return account;
}
