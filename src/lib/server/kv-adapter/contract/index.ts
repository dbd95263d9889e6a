/**
 * What a session adapter of Lucia v2 on KV has to do, as cases that any test runner can run: `run` rejects when the adapter fails its
 * case. They write only through the adapter: a suite that seeds storage behind the adapter's back passes an adapter whose own listing
 * never works.
 */
import { LuciaError, type SessionAdapter } from 'lucia';
import type { SessionKV } from '../session-kv.js';
import { newUserId } from './fixture.js';
import { deleting } from './deleting.js';
import { expiration } from './expiration.js';
import { failures } from './failures.js';
import { reading } from './reading.js';
import { RecordingKV } from './recording-kv.js';
import { writing } from './writing.js';
import type { World } from './world.js';

export type ContractSetup = {
  /** The adapter under test, on the KV that it is given: `(kv) => cloudflareKvBinding(kv)`. */
  binding: (kv: SessionKV) => (E: typeof LuciaError) => SessionAdapter;
  /** Asked once for each case. It may hold other records, and has to answer with what was last written. */
  kv: () => SessionKV;
  /** The KV key of a session's record. `session:<id>` unless the adapter uses other prefixes. */
  keyOf?: (sessionId: string) => string;
  /** Whether sign-ins of one user at the same moment are all listed: true of the `owner` layout. */
  takesSignInsAtOnce?: boolean;
};

export type ContractCase = {
  title: string;
  /** Rejects with an `AssertionError` that says what was wanted and what came. */
  run: () => Promise<void>;
};

/** Gives the cases of the contract, each with a user and a record of operations of its own. They can run in any order. */
export function sessionAdapterContract(setup: ContractSetup): ContractCase[] {
  const { keyOf = (id) => `session:${id}`, takesSignInsAtOnce = false } = setup;
  const cases = [...reading, ...writing({ takesSignInsAtOnce }), ...deleting, ...expiration, ...failures];
  return cases.map(([title, check]) => ({
    title,
    run: async () => {
      const kv = new RecordingKV(setup.kv());
      const world: World = { kv, keyOf, adapter: setup.binding(kv)(LuciaError), user: newUserId() };
      await check(world);
    },
  }));
}
