/**
 * Random histories of the app's own auth module over a hostile KV: several browsers, places and users, crashes between
 * any two storage steps, and after each history the question whether every promise was kept.
 *
 * The model beside the app knows, of every session cookie that was ever given out, whether it must live, must not, or
 * may do either because the answer about it got lost.
 */
import fc from 'fast-check';
import { isRedirect } from '@sveltejs/kit';
import type { Session } from 'lucia';
import { changePassword, deleteAccount, signIn, signUp } from '$lib/server/auth/accounts';
import { confirmSession, peekSession, requireSession } from '$lib/server/auth/guards';
import type { AuthOptions } from '$lib/server/auth/lucia';
import type { PasswordHash } from '$lib/server/auth/password';
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/auth/policy';
import {
  listSessions,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signOut,
} from '$lib/server/auth/sessions';
import { parseCookieValue } from '$lib/server/auth/token';
import { Browser, type TestEvent } from '../setup/browser';
import { add, COSTS, EXTRA, type Cost, type Operation } from './costs';
import { createHostileKV, type HostileKV } from './hostile-kv';
import { HOSTILE, type Hostility } from './hostility';
import {
  addSession,
  end,
  endAll,
  isOverdue,
  mustLive,
  newAccount,
  type KnownAccount,
  type KnownSession,
} from './model';
import { crashAfter, type D1Counters, type StepHooks } from './steps';

/** A D1 with hooks per client: the simulated one, or a real one that is observed. */
export type ObservedD1 = {
  connect: (hooks?: StepHooks, place?: string) => D1Database;
  counters: D1Counters;
};

export type HistoryOptions = {
  d1: ObservedD1;
  users?: AuthOptions['users'];
  tally: Tally;
  /** Sets what `Date.now()` answers, epoch milliseconds. */
  setClock: (time: number) => void;
};

const PLACES = ['FRA', 'SIN', 'IAD'] as const;
const BROWSERS = 3;
const USERS = 2;
const START = Date.UTC(2026, 0, 1);

/** More than any bound of the hostile KV, plus the retries of the checks. */
const SETTLED_MILLISECONDS = 10 * 60 * 1000;

// Some more often than others.
// prettier-ignore
export const ACTIONS = [
  'signUp', 'signIn', 'signIn', 'signIn', 'signIn', 'signInWrong', 'peek', 'peek', 'require', 'require', 'list', 'list',
  'revoke', 'revoke', 'revokeOthers', 'revokeOthers', 'revokeAll', 'signOut', 'changePassword', 'deleteAccount',
] as const;

const action = fc.record({
  kind: fc.constant('act' as const),
  action: fc.constantFrom(...ACTIONS),
  browser: fc.nat(BROWSERS - 1),
  place: fc.constantFrom(...PLACES),
  user: fc.nat(USERS - 1),
  /** Which of the user's sessions a revoke is aimed at. */
  target: fc.nat(9),
  /** After how many storage steps the worker dies; `null`: it lives. */
  crashAfter: fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(7) }),
});

const SECONDS = 1_000;
const MINUTES = 60 * SECONDS;
const DAYS = 24 * 60 * MINUTES;

const wait = fc.record({
  kind: fc.constant('wait' as const),
  milliseconds: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(200, 2 * SECONDS, 30 * SECONDS, 5 * MINUTES, 61 * MINUTES) },
    { weight: 1, arbitrary: fc.constantFrom(12 * DAYS, 28 * DAYS, 32 * DAYS) },
  ),
});

/** Two requests at once; `turns` says how long each storage step waits for its turn. */
const race = fc.record({
  kind: fc.constant('race' as const),
  first: action,
  second: action,
  turns: fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
});

type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Act = Of<typeof action>;
type Happening = Act | Of<typeof wait> | Of<typeof race>;

/** What happens, and how bad the KV is: with failures and short pages, or with neither, so that every list is one page. */
export const history = fc.record({
  seed: fc.nat(),
  failing: fc.boolean(),
  happenings: fc.array(
    fc.oneof(
      { weight: 10, arbitrary: action },
      { weight: 4, arbitrary: wait },
      { weight: 2, arbitrary: race },
    ),
    { minLength: 3, maxLength: 14, size: 'max' },
  ),
});

const NO_FAILURES: Partial<Hostility> = {
  failureRates: { get: 0, put: 0, delete: 0, list: 0 },
  emptyPageRate: 0,
  pageKeys: 1_000,
};

/** Real hashing would be all that a run does. Like a real one, it never gives the same hash twice. */
let hashes = 0;
const quickHash: PasswordHash = {
  generate: (password) => Promise.resolve(`${++hashes}:${password}`),
  validate: (password, hash) => Promise.resolve(hash.slice(hash.indexOf(':') + 1) === password),
};

type World = HistoryOptions & {
  kv: HostileKV;
  calmLists: boolean;
  browsers: Browser[];
  /** By user number, the account that has the name now; and all there ever were. */
  accounts: KnownAccount[];
  allAccounts: KnownAccount[];
  sessions: Map<string, KnownSession>;
};

let histories = 0;

/** How often each action ended how, over all histories: a check that they are about something. */
export type Tally = Record<string, number>;

/** Plays one history and checks what must hold during and after it; throws on a broken promise. */
export async function playHistory(
  { seed, failing, happenings }: Of<typeof history>,
  options: HistoryOptions,
) {
  options.setClock(START);
  histories += 1;
  const accounts = Array.from({ length: USERS }, (_, i) => newAccount(`user-${i}-${histories}`));
  const world: World = {
    ...options,
    kv: createHostileKV({
      seed,
      hostility: failing ? HOSTILE : { ...HOSTILE, ...NO_FAILURES },
      now: () => Date.now(),
    }),
    calmLists: !failing,
    browsers: Array.from({ length: BROWSERS }, () => new Browser()),
    accounts,
    allAccounts: [...accounts],
    sessions: new Map(),
  };
  await begin(world);
  for (const happening of happenings) await happen(world, happening);
  options.setClock(Date.now() + SETTLED_MILLISECONDS);
  await checkEveryPromise(world);
}

/** Two users, one of them signed in on two browsers. The KV may fail here too, so each is tried until it is done. */
async function begin(world: World): Promise<void> {
  const steps = [
    { action: 'signUp', browser: 0, user: 0 },
    { action: 'signIn', browser: 1, user: 0 },
    { action: 'signUp', browser: 2, user: 1 },
  ] as const;
  for (const step of steps) {
    const browser = world.browsers[step.browser];
    for (let tries = 0; !browser?.cookie && tries < TRIES; tries += 1) {
      const account = world.accounts[step.user];
      // A sign-up that failed half-way has made the account: then signing in is what is left to do.
      const action = account?.exists === 'no' ? step.action : 'signIn';
      await happen(world, { ...step, kind: 'act', action, place: 'FRA', target: 0, crashAfter: null });
    }
  }
}

async function happen(world: World, happening: Happening): Promise<void> {
  if (happening.kind === 'wait') return world.setClock(Date.now() + happening.milliseconds);
  if (happening.kind === 'act') {
    const before = spent(world);
    const done = await perform(world, happening);
    checkCost(world, happening, done, before);
    return learn(world, happening, done, false);
  }
  const { first, second, turns } = happening;
  let step = 0;
  const takeTurns: StepHooks = {
    beforeStep: async () => {
      const count = turns[step++ % turns.length] ?? 0;
      for (let turn = 0; turn < count * 4; turn += 1) await Promise.resolve();
    },
  };
  const [one, two] = await Promise.all([perform(world, first, takeTurns), perform(world, second, takeTurns)]);
  const made = [learn(world, first, one, true), learn(world, second, two, true)];
  // A session made beside a request that ends all of the account's may be among them.
  for (const [session, other, its] of [
    [made[0], second, two],
    [made[1], first, one],
  ] as const) {
    const endsAll = ['revokeOthers', 'revokeAll', 'changePassword', 'deleteAccount'].includes(other.action);
    if (session && endsAll && its.outcome !== 'refused' && its.actor?.account === session.account) {
      session.fate = 'unsure';
    }
  }
}

/** `refused`: the app sent the browser to the sign-in page. `unavailable`: a store failed. `lost`: no answer came. */
type Outcome = 'answered' | 'refused' | 'unavailable' | 'lost';

type Done = {
  outcome: Outcome;
  /** What the app's function gave, when it was answered. */
  value: unknown;
  /** The confirmed or peeked session. */
  session: Session | null;
  /** The session whose cookie the request carried. */
  actor: KnownSession | undefined;
  /** What was known of it when the request began. */
  fateBefore: KnownSession['fate'] | undefined;
  /** What a revoke was aimed at. */
  target: KnownSession | undefined;
  password: string;
  newPassword: string;
  /** The cookie before, and the one that the answer brought. */
  presented: string | undefined;
  received: string | undefined;
  cleared: boolean;
};

async function perform(world: World, act: Act, turns: StepHooks = {}): Promise<Done> {
  const browser = world.browsers[act.browser] ?? new Browser();
  const account = accountOf(world, act);
  const presented = browser.cookie;
  const actor = presented === undefined ? undefined : world.sessions.get(presented);
  const all = [...world.sessions.values()];
  const own = actor?.account.sessions ?? [];
  // Mostly one of the user's own; sometimes whoever's.
  const target = act.target < 8 ? own[act.target % own.length] : all[act.target % all.length];
  const crash = act.crashAfter === null ? null : crashAfter(act.crashAfter, turns);
  const hooks = crash ?? turns;
  const { event, receive, received } = browser.requestUnanswered({
    kv: world.kv.place(act.place, hooks),
    db: world.d1.connect(hooks, act.place),
    layout: 'owner',
    passwordHash: quickHash,
    users: world.users,
    method: ['peek', 'require', 'list'].includes(act.action) ? 'GET' : 'POST',
  });
  hashes += 1;
  const done: Done = {
    outcome: 'answered',
    value: undefined,
    session: null,
    actor,
    fateBefore: actor?.fate,
    target,
    password: account.passwords[0] ?? 'no password yet',
    newPassword: `password ${hashes}`,
    presented,
    received: undefined,
    cleared: false,
  };
  try {
    Object.assign(done, await run(event, act, done, account));
  } catch (thrown) {
    if (isRedirect(thrown)) done.outcome = 'refused';
    else if (event.locals.auth.stores.failed) done.outcome = 'unavailable';
    else throw thrown;
  }
  if (crash?.crashed()) {
    done.outcome = 'lost';
  } else {
    receive();
    done.received = received();
    done.cleared = presented !== undefined && browser.cookie === undefined;
  }
  await browser.settle();
  const accepted = done.session ? ', accepted' : '';
  const entry = `${act.action} ${done.outcome}${accepted}`;
  world.tally[entry] = (world.tally[entry] ?? 0) + 1;
  return done;
}

async function run(
  event: TestEvent,
  act: Act,
  done: Done,
  { username }: KnownAccount,
): Promise<Partial<Done>> {
  switch (act.action) {
    case 'signUp':
      return { value: await signUp(event, username, done.newPassword) };
    case 'signIn':
      return { value: await signIn(event, username, done.password) };
    case 'signInWrong':
      return { value: await signIn(event, username, 'not the password') };
    case 'peek':
      return { session: await peekSession(event) };
    case 'require':
      return { session: await confirmSession(event) };
    case 'signOut':
      return { value: await signOut(event) };
  }
  const session = await requireSession(event);
  switch (act.action) {
    case 'list':
      return { session, value: await listSessions(event.locals.auth, session) };
    case 'revoke':
      return { session, value: await revokeSession(event, session, done.target?.sessionId ?? 'none') };
    case 'revokeOthers':
      return { session, value: await revokeOtherSessions(event, session) };
    case 'revokeAll':
      return { session, value: await revokeAllSessions(event, session) };
    case 'changePassword': {
      const password = passwordOf(done);
      return { session, value: await changePassword(event, session, password, done.newPassword) };
    }
    case 'deleteAccount':
      return { session, value: await deleteAccount(event, session, passwordOf(done)) };
  }
}

/** Account actions are about whoever is signed in, not about the user that the act names. */
function passwordOf({ actor }: Done): string {
  return actor?.account.passwords[0] ?? 'no password yet';
}

function accountOf(world: World, act: Act): KnownAccount {
  const account = world.accounts[act.user];
  if (!account) throw new Error('[histories] no such user');
  return account;
}

/** Draws from one answer what it tells, and checks what must hold at once. Gives the session that it made. */
function learn(world: World, act: Act, done: Done, racing: boolean): KnownSession | undefined {
  const { actor, outcome, value } = done;
  const now = Date.now();
  const answered = outcome === 'answered';
  const uncertain = outcome === 'lost' || outcome === 'unavailable';
  if (outcome === 'unavailable' && done.received !== done.presented) {
    expect(done.received === undefined, 'a failing store signs nobody in');
  }
  if (actor && act.action !== 'signUp' && act.action !== 'signIn') actor.touchedAt = now;
  if (done.session && act.action !== 'peek') checkAccepted(done, now, racing);
  if (answered && act.action === 'require' && !done.session && actor) {
    if (done.cleared && done.fateBefore === 'live' && !racing) {
      expect(!mustLive(actor, now), 'a live session keeps its cookie');
    }
    if (done.cleared) end(actor, true);
  }

  switch (act.action) {
    case 'signUp':
      return learnSignUp(world, act, done, racing);
    case 'signIn': {
      const account = accountOf(world, act);
      end(replaced(world, done), answered && value === 'signed-in');
      if (uncertain) account.lost += 1;
      if (answered && value === 'refused' && !racing) {
        expect(account.exists !== 'yes' || account.passwords.length > 1, 'the right password signs in');
        if (account.passwords.length > 1) account.passwords.shift();
      }
      if (!answered || value !== 'signed-in') return undefined;
      account.exists = 'yes';
      if (!racing) account.passwords = [done.password];
      return remember(world, account, done, now);
    }
    case 'signInWrong':
      if (answered) expect(value === 'refused', 'a wrong password is refused');
      return undefined;
    case 'list':
      if (answered) checkList(world, done, value, racing);
      return undefined;
    case 'revoke':
      if (answered && done.target?.account === actor?.account) end(done.target, true);
      if (uncertain && done.target?.account === actor?.account) end(done.target, false);
      if (answered && done.target?.account !== actor?.account)
        expect(value === 'unknown', 'a stranger ends nothing');
      return undefined;
    case 'signOut':
      end(actor, answered);
      return undefined;
    case 'revokeAll':
    case 'deleteAccount':
    case 'revokeOthers':
    case 'changePassword':
      return learnEndOfAll(world, act, done);
    default:
      return undefined;
  }
}

function checkAccepted({ actor, fateBefore }: Done, now: number, racing: boolean): void {
  expect(actor !== undefined, 'only a cookie that was given out is accepted');
  if (!actor) return;
  expect(fateBefore !== 'ended', 'an ended session is refused');
  expect(!isOverdue({ ...actor, touchedAt: actor.touchedAt }, now), 'an overdue session is refused');
  actor.aliveAt = now;
  // Whatever might have ended it is over and has not.
  if (!racing && actor.fate === 'unsure') actor.fate = 'live';
}

/** The session that this browser had and a sign-in replaced. It is dead before the new one is made. */
function replaced(world: World, { actor, outcome }: Done): KnownSession | undefined {
  if (outcome === 'refused') return undefined;
  return actor;
}

function learnSignUp(world: World, act: Act, done: Done, racing: boolean): KnownSession | undefined {
  const account = accountOf(world, act);
  if (done.outcome === 'answered' && done.value === 'taken') {
    expect(account.exists !== 'no' || racing, 'a free name is not taken');
    if (account.exists === 'unsure') account.exists = 'yes';
    return undefined;
  }
  if (done.outcome !== 'answered') {
    if (account.exists === 'yes') return undefined;
    end(done.actor, false);
    const made = freshAccount(world, act);
    made.exists = 'unsure';
    made.passwords = [done.newPassword, ...account.passwords];
    made.lost = account.lost + 1;
    return undefined;
  }
  expect(account.exists !== 'yes' || racing, 'a name in use cannot be signed up');
  end(done.actor, true);
  const made = freshAccount(world, act);
  made.exists = 'yes';
  made.passwords = [done.newPassword];
  return remember(world, made, done, Date.now());
}

function freshAccount(world: World, act: Act): KnownAccount {
  const made = newAccount(accountOf(world, act).username);
  world.accounts[act.user] = made;
  world.allAccounts.push(made);
  return made;
}

function learnEndOfAll(world: World, act: Act, done: Done): KnownSession | undefined {
  const { actor, outcome, value } = done;
  if (!actor || outcome === 'refused' || value === 'wrong-password') return undefined;
  const { account } = actor;
  const certain = outcome === 'answered';
  endAll(account, certain);
  if (act.action === 'changePassword') {
    account.passwords = certain ? [done.newPassword] : [done.newPassword, ...account.passwords];
  }
  if (act.action === 'deleteAccount') account.exists = certain ? 'no' : 'unsure';
  if (act.action === 'revokeAll' || act.action === 'deleteAccount') return undefined;
  if (!certain) account.lost += 1;
  return certain ? remember(world, account, done, actor.createdAt) : undefined;
}

function remember(
  world: World,
  account: KnownAccount,
  done: Done,
  createdAt: number,
): KnownSession | undefined {
  expect(done.received !== undefined, 'who is signed in has a cookie');
  if (!done.received) return undefined;
  const session = addSession(account, done.received, createdAt);
  world.sessions.set(session.cookie, session);
  return session;
}

function checkList(world: World, { session, fateBefore }: Done, value: unknown, racing: boolean): void {
  if (fateBefore === 'ended') return;
  const ids = idsOf(value);
  expect(new Set(ids).size === ids.length, 'a session is listed once');
  expect(ids.includes(session?.sessionId ?? ''), 'the current session is listed');
  // What ends while the list is being made may still be on it.
  if (racing) return;
  for (const known of world.sessions.values()) {
    if (known.fate === 'ended') expect(!ids.includes(known.sessionId), 'an ended session is not listed');
  }
}

function idsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map((view: { id: string }) => view.id) : [];
}

/** Once the KV has settled: who is accepted, who is listed, and what is stored. */
async function checkEveryPromise(world: World): Promise<void> {
  for (const account of world.allAccounts) {
    const standing: KnownSession[] = [];
    for (const session of account.sessions) {
      const accepted = [];
      for (const place of PLACES) accepted.push(await isAccepted(world, session.cookie, place));
      const everywhere = accepted.every(Boolean);
      expect(everywhere || !accepted.some(Boolean), 'all places agree about a session');
      if (session.fate === 'ended' || isOverdue(session, Date.now()))
        expect(!everywhere, 'an ended session is refused everywhere');
      if (mustLive(session, Date.now())) expect(everywhere, 'no live session is lost');
      if (everywhere) standing.push(session);
    }
    if (standing[0]) await checkFinalList(world, account, standing, standing[0]);
  }
  const latestExpiry = (Date.now() + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS) / 1_000 + 1;
  const records = world.kv.truth();
  for (const { expiration } of records) {
    expect(expiration !== null && expiration <= latestExpiry, 'every record expires by itself');
  }
  const stored = JSON.stringify(records);
  for (const cookie of world.sessions.keys()) {
    expect(!stored.includes(parseCookieValue(cookie)?.token ?? cookie), 'no token is stored');
  }
}

async function checkFinalList(
  world: World,
  account: KnownAccount,
  standing: KnownSession[],
  from: KnownSession,
) {
  const ids = await persist(async () => {
    const event = visit(world, from.cookie, 'FRA');
    return idsOf(await listSessions(event.locals.auth, await requireSession(event)));
  });
  expect(new Set(ids).size === ids.length, 'every session is listed exactly once');
  for (const { sessionId } of standing) expect(ids.includes(sessionId), 'every live session is listed');
  const known = new Set(account.sessions.map(({ sessionId }) => sessionId));
  const unheardOf = ids.filter((id) => !known.has(id)).length;
  expect(unheardOf <= account.lost, 'nothing is listed that nobody made');
  expect(ids.length - unheardOf === standing.length, 'nothing is listed that is not accepted');
}

function isAccepted(world: World, cookie: string, place: string): Promise<boolean> {
  return persist(async () => (await confirmSession(visit(world, cookie, place))) !== null);
}

/** A request with a copied cookie, from a browser that keeps nothing. */
function visit({ kv, d1, users }: World, cookie: string, place: string): TestEvent {
  return new Browser().plant(cookie).requestUnanswered({
    kv: kv.place(place),
    db: d1.connect({}, place),
    layout: 'owner',
    passwordHash: quickHash,
    users,
  }).event;
}

const TRIES = 30;

/** The KV fails by chance; a check asks again until it answers. */
async function persist<T>(check: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await check();
    } catch (error) {
      if (tries === TRIES || isRedirect(error) || error instanceof BrokenPromise) throw error;
    }
  }
}

type Spent = Cost & { logged: number };

function spent({ kv, d1 }: World): Spent {
  const { get, put, delete: deletes, list } = kv.counters;
  return { get, put, delete: deletes, list, queries: d1.counters.queries, logged: kv.log.length };
}

/** One request that went well costs what the published table says. */
function checkCost(world: World, act: Act, done: Done, before: Spent): void {
  const clean = world.kv.log.slice(before.logged).every(({ outcome }) => outcome === 'done');
  const expected = expectedCost(act, done);
  if (!clean || act.crashAfter !== null || done.outcome !== 'answered' || !expected) return;
  const after = spent(world);
  for (const kind of ['get', 'put', 'delete', 'list', 'queries'] as const) {
    if (kind === 'list' && !world.calmLists) continue;
    const cost = after[kind] - before[kind];
    // How many others there were is known to the app's list alone where the answer does not say.
    const atLeast = kind === 'delete' && ['revokeAll', 'deleteAccount'].includes(act.action);
    expect(
      atLeast ? cost >= expected[kind] : cost === expected[kind],
      `${act.action} costs ${expected[kind]} ${kind}, not ${cost}`,
    );
  }
}

const OPERATIONS: Partial<Record<Act['action'], Operation>> = {
  signUp: 'sign-up',
  signIn: 'sign-in',
  peek: 'page view (peek)',
  require: 'account page (require)',
  list: 'sessions page',
  revoke: 'revoke one',
  revokeOthers: 'revoke others',
  revokeAll: 'revoke all',
  signOut: 'sign-out',
  changePassword: 'change password',
  deleteAccount: 'delete account',
};

function expectedCost(act: Act, { value, session, presented, target, actor }: Done): Cost | null {
  const operation = OPERATIONS[act.action];
  if (!operation || value === 'taken' || value === 'wrong-password') return null;
  if (value === 'refused') return COSTS['sign-in refused'];
  const asksForSession = !['signUp', 'signIn', 'signOut'].includes(act.action);
  // Without a session there is nothing to pay for, or only the question.
  if (asksForSession && !session) return null;
  if (act.action === 'signOut' && !presented) return null;
  // An id that is nobody's or a stranger's is refused by its form; one's own is a plain revoke here.
  if (act.action === 'revoke' && (!target || target.account !== actor?.account)) return null;
  const extras: Cost[] = [];
  if (session?.fresh) extras.push(EXTRA.renewal);
  if (session?.fresh && act.action === 'peek') extras.push(EXTRA['confirm before renewal']);
  if ((act.action === 'signUp' || act.action === 'signIn') && presented)
    extras.push(EXTRA['replaced session']);
  const others = act.action === 'revokeOthers' ? value : othersEnded(value);
  for (let i = 0; i < Number(others ?? 0); i += 1) extras.push(EXTRA['each other session']);
  // One's own record is in the request's memory already.
  const known = act.action === 'revoke' && target === actor ? -1 : 0;
  const total = add(COSTS[operation], ...extras);
  return { ...total, get: total.get + known };
}

function othersEnded(value: unknown): unknown {
  return value !== null && typeof value === 'object' && 'endedOthers' in value ? value.endedOthers : 0;
}

/** A promise of the design that a history broke. */
export class BrokenPromise extends Error {
  override name = 'BrokenPromise';
}

function expect(holds: boolean, promise: string): void {
  if (!holds) throw new BrokenPromise(`broken promise: ${promise}`);
}
