/** One request of a history: to the app's own functions, with the stores as one location shows them at one moment. */
import { DeviceUnproven } from '$lib/server/sessions/device-keys';
import { SessionEnded } from '$lib/server/sessions/confirmed';
import { createSigner } from '$lib/server/sessions/signer';
import { createDeviceCookie } from '$lib/server/throttle/known-browser';
import type { PasswordHash } from '$lib/server/accounts/password';
import { Browser, CONFIRMATION_COOKIE, type RequestOptions, type TestEvent } from '../setup/browser';
import { accountOf, expect, type Act, type Done, type World } from './histories-world';
import type { KnownAccount } from './model';
import { crashAfter, type StepHooks } from './steps';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  listSessions,
  peekSession,
  renameSession,
  requireSession,
  requireSessionAsItIs,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signOut,
  signUp,
  stepUp,
} from '../setup/requests';

const COOKIE_SECRETS = { current: 'a secret of the simulation' };

/** Real hashing would take most of the time of a run. Like a real hash, this one is different each time. */
let hashes = 0;
export const quickHash: PasswordHash = {
  generate: (password) => Promise.resolve(`${++hashes}:${password}`),
  validate: (password, hash) => Promise.resolve(hash.slice(hash.indexOf(':') + 1) === password),
};

/** The stores of one request at one location. Without hooks of its own, only the KV's hostility affects it. */
export function storesAt(
  world: World,
  place: string,
  hooks: StepHooks = {},
  d1Hooks = hooks,
): RequestOptions {
  return {
    kv: world.kv.place(place, hooks),
    db: world.d1.connect(d1Hooks, place),
    layout: 'owner',
    passwordHash: quickHash,
    users: world.users,
    cookieSecrets: COOKIE_SECRETS,
    address: world.address,
  };
}

export async function perform(world: World, act: Act, turns: StepHooks = {}): Promise<Done> {
  const browser = world.browsers[act.browser] ?? new Browser();
  const account = accountOf(world, act);
  const presented = browser.cookie;
  const actor = presented === undefined ? undefined : world.sessions.get(presented);
  const all = [...world.sessions.values()];
  const own = actor?.account.sessions ?? [];
  // Usually one of the user's own sessions, sometimes anybody's.
  const target = act.target < 8 ? own[act.target % own.length] : all[act.target % all.length];
  const crash = act.crashAfter === null ? null : crashAfter(act.crashAfter, turns);
  const hooks = crash ?? turns;
  if (act.action === 'peek') tamper(world, browser, act.target);
  const gets = world.kv.counters.get;
  let compared = '';
  const logged = world.kv.log.length;
  const { event, receive, received } = browser.requestUnanswered({
    ...storesAt(world, act.place, hooks, oneAfterTheOther(hooks, world.d1Failures)),
    passwordHash: {
      ...quickHash,
      validate: (password, hash) => quickHash.validate(password, (compared = hash)),
    },
    method: ['peek', 'require', 'list'].includes(act.action) ? 'GET' : 'POST',
  });
  hashes += 1;
  // From the cookies as they are now. It is awaited at the end, because the request begins in this turn.
  const recognized = createDeviceCookie(
    event.cookies,
    true,
    createSigner(COOKIE_SECRETS, event.url.origin),
  ).deviceOf(account.username);
  const done: Done = {
    outcome: 'answered',
    value: undefined,
    session: null,
    viewer: null,
    actor,
    fateBefore: actor?.fate,
    targetFateBefore: target?.fate,
    device: 'new',
    offer: null,
    asked: false,
    putRefused: false,
    target,
    password: account.passwords[0] ?? 'no password yet',
    newPassword: `password ${hashes}`,
    presented,
    received: undefined,
    cleared: false,
  };
  try {
    done.value = await run(event, act, done, account);
    // If the worker died during background deletes, the response may or may not have been sent.
    const died = crash?.crashedAt();
    if (died && (died.op !== 'delete' || act.target % 2 === 0)) done.outcome = 'lost';
  } catch (thrown) {
    if (crash?.crashedAt()) done.outcome = 'lost';
    else if (thrown instanceof SessionEnded) done.outcome = 'refused';
    else if (event.locals.stores.failed) done.outcome = 'unavailable';
    else if (thrown instanceof DeviceUnproven) {
      expect(actor?.fate !== 'live', 'a browser that proves its device is not refused');
      done.outcome = 'unavailable';
    } else throw thrown;
  }
  if (done.viewer === 'unknown' && done.outcome === 'answered') done.outcome = 'unavailable';
  if (done.outcome !== 'lost') {
    receive();
    if (browser.confirmation) {
      world.confirmations.push(browser.confirmation);
      world.lastConfirmation.set(browser, browser.confirmation);
    }
    done.offer = event.locals.auth.deviceKeys?.offer() ?? null;
    done.received = received();
    done.cleared = presented !== undefined && browser.cookie === undefined;
  }
  await browser.settle();
  const device = await recognized;
  if (device) done.device = (await device.hasSignedInWith(compared)) ? 'own' : 'former';
  done.asked = world.kv.counters.get > gets;
  done.putRefused = world.kv.log.slice(logged).some(({ op, outcome }) => op === 'put' && outcome !== 'done');
  await world.drain?.();
  count(world, `${act.action} ${done.outcome}${done.session || isGreeted(done) ? ', accepted' : ''}`);
  return done;
}

/** Returns whether a page view greeted somebody. */
export function isGreeted({ viewer }: Done): boolean {
  return viewer !== null && viewer !== 'unknown';
}

/**
 * What may happen to a confirmation: a browser loses it, keeps its last one forever, gets another user's or an old one (from a late
 * response or on purpose), or changes it.
 */
function tamper({ confirmations, lastConfirmation }: World, browser: Browser, choice: number): void {
  const last = lastConfirmation.get(browser) ?? '';
  const [some = ''] = confirmations.slice(choice % Math.max(confirmations.length, 1));
  const changed = last.slice(0, choice) + (last[choice] === 'A' ? 'B' : 'A') + last.slice(choice + 1);
  const planted = [undefined, undefined, undefined, '', last, last, last, some, changed][choice];
  if (planted !== undefined) browser.plant(planted, CONFIRMATION_COOKIE);
}

export function count({ tally }: World, entry: string): void {
  tally[entry] = (tally[entry] ?? 0) + 1;
}

/** Runs the second hooks only if the first let the step continue. */
function oneAfterTheOther(first: StepHooks, second: StepHooks): StepHooks {
  return {
    beforeStep: async (step) => {
      await first.beforeStep?.(step);
      await second.beforeStep?.(step);
    },
    afterStep: async (step) => {
      await first.afterStep?.(step);
      await second.afterStep?.(step);
    },
  };
}

/** Sets `done.session` as soon as the app accepts a session, whatever happens later. */
async function run(event: TestEvent, act: Act, done: Done, { username }: KnownAccount): Promise<unknown> {
  // First the actions that need no session, then the others.
  // eslint-disable-next-line @typescript-eslint/switch-exhaustiveness-check
  switch (act.action) {
    case 'signUp':
      return signUp(event, username, done.newPassword);
    case 'signIn':
      return signIn(event, username, done.password);
    case 'signInWrong':
      return signIn(event, username, 'not the password');
    case 'peek':
      done.viewer = await peekSession(event);
      return undefined;
    case 'require':
      done.session = await confirmSession(event);
      return undefined;
    case 'signOut':
      return signOut(event);
    case 'list': {
      const session = await requireSession(event);
      done.session = session;
      return (await listSessions(event, session)).sessions;
    }
  }
  const session = await (act.action === 'rename' ? requireSessionAsItIs(event) : requireSession(event));
  done.session = session;
  switch (act.action) {
    case 'revoke':
      return revokeSession(event, session, done.target?.sessionId ?? 'none');
    case 'rename':
      return renameSession(event, session, done.target?.sessionId ?? 'none', 'a name');
    case 'revokeOthers':
      return revokeOtherSessions(event, session);
    case 'revokeAll':
      return revokeAllSessions(event, session);
    case 'changePassword':
      return changePassword(event, session, passwordOf(done), done.newPassword);
    case 'stepUp':
      return stepUp(event, session, passwordOf(done));
    case 'deleteAccount':
      return deleteAccount(event, session, passwordOf(done));
  }
}

/** Account actions affect the signed-in user, and not the user that the act names. */
function passwordOf({ actor }: Done): string {
  return actor?.account.passwords[0] ?? 'no password yet';
}

/** Returns a request of a browser that keeps nothing. */
export function visit(world: World, browser: Browser, place: string): TestEvent {
  return browser.requestUnanswered(storesAt(world, place)).event;
}
