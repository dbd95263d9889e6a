/** Checks every successful request of a history against the published cost. */
import { add, COSTS, EXTRA, KINDS, NOTHING, type Cost, type Operation } from './costs';
import { isGreeted } from './histories-requests';
import { isPastAbsoluteLimit } from './model';
import { expect, isThrottled, type Act, type Done, type World } from './histories-world';

type Spent = Cost & { logged: number; d1Failures: number };

/** Returns what was spent so far. */
export function spent({ kv, d1, d1Failures }: World): Spent {
  const { get, put, delete: deletes, list } = kv.counters;
  const { queries, roundTrips: trips } = d1.counters;
  return {
    get,
    put,
    delete: deletes,
    list,
    queries,
    trips,
    logged: kv.log.length,
    d1Failures: d1Failures.count(),
  };
}

export function checkCost(world: World, act: Act, done: Done, before: Spent): void {
  const after = spent(world);
  // A repeated D1 query costs once more.
  const clean =
    after.d1Failures === before.d1Failures &&
    world.kv.log.slice(before.logged).every(({ outcome }) => outcome === 'done');
  const goesOn = ['signUp', 'signIn'].includes(act.action) && after.list > before.list;
  const expected = expectedCost(act, done, goesOn, after.put > before.put);
  if (!clean || act.crashAfter !== null || done.outcome !== 'answered' || !expected) return;
  for (const kind of KINDS) {
    if (kind === 'list' && world.failing) continue;
    const cost = after[kind] - before[kind];
    // Some numbers are known only to the app's list if the response does not tell: how many other sessions there were, and what was left of
    // a deleted account. The same holds for a rotation whose response was lost, when that session signs out.
    const atLeast =
      kind === 'delete' && (goesOn || ['revokeAll', 'deleteAccount', 'signOut'].includes(act.action));
    expect(
      atLeast ? cost >= expected[kind] : cost === expected[kind],
      `${act.action} costs ${expected[kind]} ${kind}, not ${cost}`,
    );
  }
}

const OPERATIONS: Partial<Record<Act['action'], Operation>> = {
  signUp: 'sign-up',
  signIn: 'sign-in',
  signInWrong: 'sign-in refused',
  peek: 'page view (peek)',
  require: 'account page (require)',
  list: 'sessions page',
  revoke: 'revoke one',
  rename: 'name a session',
  revokeOthers: 'revoke others',
  revokeAll: 'revoke all',
  signOut: 'sign-out',
  changePassword: 'change password',
  stepUp: 'password again (step-up)',
  deleteAccount: 'delete account',
};

const DEVICES: Record<Done['device'], Cost> = {
  own: NOTHING,
  new: EXTRA['sign-in from a new browser'],
  former: EXTRA['sign-in from a browser that knew an earlier password'],
};

/** `goesOn`: it listed records, which a sign-in does only for a deleted account. `wrote`: it put a record. */
function expectedCost(act: Act, done: Done, goesOn: boolean, wrote: boolean): Cost | null {
  const { value, session, presented, target, actor } = done;
  const operation = OPERATIONS[act.action];
  if (!operation || value === 'taken' || value === 'wrong-password' || isThrottled(value)) return null;
  if (act.action === 'rename' && value === 'unknown') return null;
  if (value === 'refused') {
    return add(COSTS['sign-in refused'], DEVICES[done.device]);
  }
  if (act.action === 'peek') {
    if (!isGreeted(done)) return null;
    const asked = done.asked ? [EXTRA['the page view that asks']] : [];
    return add(COSTS[operation], ...asked, wrote ? EXTRA['a renewal that was due'] : NOTHING);
  }
  const asksForSession = !['signUp', 'signIn', 'signOut'].includes(act.action);
  // Without a session there is no cost, or only that of the check.
  if (asksForSession && !session) return null;
  // The ledger has no birth for a deleted account, nor for a session that ended long ago. So KV is read as well.
  const isForgotten = actor?.account.exists !== 'yes' || isPastAbsoluteLimit(actor, Date.now());
  if (act.action === 'signOut' && (!presented || isForgotten)) return null;
  // An unknown or another user's id is refused because of its form. The caller's own id is a plain revoke here.
  if (act.action === 'revoke' && (!target || target.account !== actor?.account)) return null;
  // The ledger forgets a session's birth once the session could no longer be live.
  if (act.action === 'revoke' && target && isPastAbsoluteLimit(target, Date.now())) return null;
  const extras: Cost[] = [];
  if (session?.fresh) extras.push(EXTRA['a renewal that was due']);
  if (act.action === 'signIn') extras.push(DEVICES[done.device]);
  if ((act.action === 'signUp' || act.action === 'signIn') && presented) {
    extras.push(EXTRA['the session that a sign-in replaces']);
  }
  if (goesOn) extras.push(EXTRA['sign-in or sign-up that goes on with leftovers']);
  const others = act.action === 'revokeOthers' ? value : othersEnded(value);
  for (let i = 0; i < Number(others ?? 0); i += 1) extras.push(EXTRA['each other session that ends']);
  // The request has already read the caller's own record.
  const known = ['revoke', 'rename'].includes(act.action) && target === actor ? -1 : 0;
  const total = add(COSTS[operation], ...extras);
  return { ...total, get: total.get + known };
}

function othersEnded(value: unknown): unknown {
  return value !== null && typeof value === 'object' && 'endedOthers' in value ? value.endedOthers : 0;
}
