/** What a history is played in, and how a request of it went. */
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

/** How often what happened, over all histories: a check that they are about something. */
export type Tally = Record<string, number>;

export type HistoryOptions = {
  d1: ObservedD1;
  users?: AuthOptions['users'];
  /** Waits for what a request that failed half-way has still under way, so that it is not taken for the next one's. */
  drain?: () => Promise<unknown>;
  tally: Tally;
  /** Whether a request that costs more or less than is published breaks a promise. */
  checkCosts: boolean;
  /** Sets what `Date.now()` answers, epoch milliseconds. */
  setClock: (time: number) => void;
  /** What the app wrote to the console; each history empties it. */
  logged: string[];
};

export type World = HistoryOptions & {
  kv: HostileKV;
  /** `count()`: how many there were so far. */
  d1Failures: StepHooks & { count(): number };
  failing: boolean;
  places: readonly string[];
  browsers: Browser[];
  /** The address that this history's requests come from. */
  address: string;
  /** By user number, the account that has the name now; and all there ever were. */
  accounts: KnownAccount[];
  allAccounts: KnownAccount[];
  /** By cookie. */
  sessions: Map<string, KnownSession>;
  /** How far the clock of the machine that answers is from KV's, milliseconds. */
  skew: number;
  /** Every confirmation that a browser ever got. */
  confirmations: string[];
  /** The last one of each. */
  lastConfirmation: Map<Browser, string>;
  /** By key, the last that was seen of each record. */
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

/** `refused`: the app sent the browser to the sign-in page. `unavailable`: a store failed. `lost`: no answer came. */
type Outcome = 'answered' | 'refused' | 'unavailable' | 'lost';

export type Done = {
  outcome: Outcome;
  /** What the app's function gave, when it was answered. */
  value: unknown;
  /** The confirmed session. */
  session: Session | null;
  /** Whom a page view greeted. */
  viewer: Viewer;
  /** The session whose cookie the request carried. */
  actor: KnownSession | undefined;
  /** What was known of it when the request began. */
  fateBefore: KnownSession['fate'] | undefined;
  /** What the browser of a sign-in was to the account; `former`: it signed in before the password, or the account, was this one. */
  device: 'own' | 'former' | 'new';
  /** The offer to bind the session, in the answer. */
  offer: string | null;
  /** Whether the request asked KV for a record. */
  asked: boolean;
  /** Whether KV refused a write, or did not answer it. */
  putRefused: boolean;
  /** What a revoke or a new name was aimed at. */
  target: KnownSession | undefined;
  targetFateBefore: KnownSession['fate'] | undefined;
  password: string;
  newPassword: string;
  /** The cookie before, and the one that the answer brought. */
  presented: string | undefined;
  received: string | undefined;
  cleared: boolean;
};

/** Between two machines, milliseconds. */
export const CLOCKS_DIFFER_BY_MILLISECONDS = 1_000;

/** How often what may fail by chance is tried again. */
export const TRIES = 30;

/** A promise of the design that a history broke. */
export class BrokenPromise extends Error {
  override name = 'BrokenPromise';
}

export function expect(holds: boolean, promise: string): void {
  if (!holds) throw new BrokenPromise(`broken promise: ${promise}`);
}

/** Guessing is slowed down: nothing else happened. */
export function isThrottled(value: unknown): boolean {
  return value !== null && typeof value === 'object' && 'retryAfterSeconds' in value;
}

export function accountOf(world: World, act: Act): KnownAccount {
  const account = world.accounts[act.user];
  if (!account) throw new Error('[histories] no such user');
  return account;
}
