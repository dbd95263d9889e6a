/** What a response tells about the sessions, and what must hold at once. */
import { CONFIRMATION_SECONDS } from '$lib/server/policy';
import { isGreeted } from './histories-requests';
import {
  accountOf,
  CLOCKS_DIFFER_BY_MILLISECONDS,
  expect,
  isThrottled,
  type Act,
  type Done,
  type World,
} from './histories-world';
import {
  addSession,
  end,
  endAll,
  isOverdue,
  mayHaveLostRenewal,
  mustLive,
  newAccount,
  type KnownAccount,
  type KnownSession,
} from './model';

/** Returns the session that the request created. `racing`: another request was in progress. */
export function learn(world: World, act: Act, done: Done, racing: boolean): KnownSession | undefined {
  const { actor, outcome, value } = done;
  const answered = outcome === 'answered';
  const uncertain = outcome === 'lost' || outcome === 'unavailable';
  checkCookies(act, done, racing);
  if (racing || !answered || done.putRefused) {
    for (const account of [actor?.account, accountOf(world, act)]) if (account) account.strayAt = Date.now();
  }
  if (actor && act.action !== 'signUp' && act.action !== 'signIn') actor.touchedAt = Date.now();
  if (done.session) checkAccepted(act, done, racing);
  if (isGreeted(done)) checkGreeted(done, racing);
  if (answered && act.action === 'require' && !done.session && done.cleared) end(actor, true);

  switch (act.action) {
    case 'signUp':
      return learnSignUp(world, act, done, racing);
    case 'signIn':
      return learnSignIn(world, act, done, racing);
    case 'signInWrong':
      if (answered) expect(value === 'refused' || isThrottled(value), 'a wrong password is refused');
      return undefined;
    case 'list':
      if (answered) checkList(world, done, value, racing);
      return undefined;
    case 'revoke':
      if (done.target?.account === actor?.account) {
        // A session that ended itself and lost D1's response is refused when D1 is asked again.
        const isOwn = world.failing && done.target === actor && outcome === 'refused';
        if (answered || uncertain || isOwn) end(done.target, answered);
      } else if (answered) {
        expect(value === 'unknown', 'a stranger ends nothing');
      }
      return undefined;
    case 'rename':
      if (answered && (done.target?.account !== actor?.account || done.targetFateBefore === 'ended')) {
        expect(value === 'unknown', "neither an ended session nor a stranger's gets a name");
      }
      if (done.target) mayHaveLostRenewal(done.target);
      return undefined;
    case 'signOut':
      end(actor, answered);
      return undefined;
    case 'stepUp':
      return learnStepUp(world, done);
    case 'revokeAll':
    case 'deleteAccount':
    case 'revokeOthers':
    case 'changePassword':
      return learnEndOfAll(world, act, done);
    default:
      return undefined;
  }
}

function checkCookies(act: Act, done: Done, racing: boolean): void {
  const { actor, outcome, presented, received, cleared, fateBefore } = done;
  const wasLive =
    actor !== undefined &&
    fateBefore === 'live' &&
    !racing &&
    mustLive(actor, Date.now() + CLOCKS_DIFFER_BY_MILLISECONDS);
  if (outcome === 'unavailable') {
    expect(received === undefined || received === presented, 'a failing store signs nobody in');
    expect(!(wasLive && cleared), 'a failing store signs nobody out');
  }
  if (outcome === 'answered' && ['peek', 'require', 'list'].includes(act.action)) {
    expect(!(wasLive && cleared), 'a live session keeps its cookie');
  }
}

function checkAccepted(act: Act, { actor, fateBefore, session, putRefused }: Done, racing: boolean): void {
  expect(actor !== undefined, 'only a cookie that was given out is accepted');
  if (!actor) return;
  const now = Date.now();
  expect(session?.sessionId === actor.sessionId, 'a cookie is accepted as its own session');
  expect(session?.user.username === actor.account.username, 'a cookie is accepted as its own user');
  expect(!isOverdue(actor, now - CLOCKS_DIFFER_BY_MILLISECONDS), 'an overdue session is refused');
  expect(fateBefore !== 'ended', 'an ended session is refused');
  // If KV does not accept a renewal, the session stays live and ends when it would have. Renaming renews with its own write, or not at all.
  if (!(session?.fresh && putRefused) && act.action !== 'rename') actor.seenAt.push(now);
  // Any request that might have ended it is over and has not done so.
  if (!racing && actor.fate === 'unsure') actor.fate = 'live';
}

/** Checks against what the ledger said at most a minute ago, whatever KV shows and whatever confirmation the browser sends. */
function checkGreeted({ actor, viewer, asked, putRefused }: Done, racing: boolean): void {
  expect(actor !== undefined, 'only a cookie that was given out is greeted');
  if (!actor || viewer === null || viewer === 'unknown') return;
  const now = Date.now();
  const bound = CONFIRMATION_SECONDS * 1_000 + CLOCKS_DIFFER_BY_MILLISECONDS;
  expect(viewer.username === actor.account.username, 'a session is greeted as its own user');
  expect(now < actor.endedAt + bound, 'no page greets a session later than 60 seconds after its end');
  expect(!isOverdue(actor, now - bound), 'no page greets a session later than 60 seconds after its time');
  // It asked the stores as an account page does, and so renewed what was due.
  if (asked && !racing && !putRefused) actor.seenAt.push(now);
}

function learnSignIn(world: World, act: Act, done: Done, racing: boolean): KnownSession | undefined {
  const { outcome, value } = done;
  const account = accountOf(world, act);
  if (outcome !== 'answered') {
    account.lost += 1;
    // The old session ends before the new one is created.
    end(done.actor, false);
    return undefined;
  }
  if (value === 'refused' && !racing) {
    expect(account.exists !== 'yes' || account.passwords.length > 1, 'the right password signs in');
    if (account.passwords.length > 1) account.passwords.shift();
  }
  if (value !== 'signed-in') return undefined;
  end(done.actor, true);
  // During a deletion of the account, it may have been let in just before.
  account.exists = racing && account.exists !== 'yes' ? 'unsure' : 'yes';
  if (!racing) account.passwords = [done.password];
  return remember(world, account, done, null);
}

function learnSignUp(world: World, act: Act, done: Done, racing: boolean): KnownSession | undefined {
  const account = accountOf(world, act);
  if (done.outcome === 'answered' && isThrottled(done.value)) return undefined;
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
  return remember(world, made, done, null);
}

function freshAccount(world: World, act: Act): KnownAccount {
  const made = newAccount(accountOf(world, act).username);
  world.accounts[act.user] = made;
  world.allAccounts.push(made);
  return made;
}

/** The password was entered again: this browser gets a new token, and its old session is dead. */
function learnStepUp(world: World, done: Done): KnownSession | undefined {
  const { actor, outcome, value } = done;
  if (!actor || outcome === 'refused' || value === 'wrong-password' || isThrottled(value)) return undefined;
  if (outcome === 'answered' && (!done.received || done.received === done.presented)) {
    // KV reported that it did not accept the new session, so the old one continues.
    expect(done.putRefused, 'the password given again brings a new token');
    actor.account.lost += 1;
    return undefined;
  }
  end(actor, outcome === 'answered');
  if (outcome === 'answered') return remember(world, actor.account, done, actor);
  actor.account.lost += 1;
  return undefined;
}

function learnEndOfAll(world: World, act: Act, done: Done): KnownSession | undefined {
  const { actor, outcome, value } = done;
  if (!actor || outcome === 'refused' || value === 'wrong-password' || isThrottled(value)) return undefined;
  const { account } = actor;
  const certain = outcome === 'answered';
  endAll(account, certain);
  if (act.action === 'changePassword') {
    account.passwords = certain ? [done.newPassword] : [done.newPassword, ...account.passwords];
  }
  if (act.action === 'deleteAccount') {
    account.exists = certain ? 'no' : 'unsure';
    if (certain) account.deletedAt = Date.now();
  }
  if (act.action === 'revokeAll' || act.action === 'deleteAccount') return undefined;
  if (!certain) account.lost += 1;
  return certain ? remember(world, account, done, actor) : undefined;
}

/** Records the session that a response started. `before`: the session that it continues, with its binding. */
function remember(
  world: World,
  account: KnownAccount,
  done: Done,
  before: KnownSession | null,
): KnownSession | undefined {
  expect(done.received !== undefined, 'who is signed in has a cookie');
  expect(done.received !== done.presented, 'a new session has a new token');
  if (!done.received) return undefined;
  const session = addSession(account, done.received, before?.createdAt ?? Date.now());
  session.binding = before?.binding ?? null;
  world.sessions.set(session.cookie, session);
  return session;
}

function checkList(world: World, { session }: Done, value: unknown, racing: boolean): void {
  const ids = idsOf(value);
  expect(new Set(ids).size === ids.length, 'a session is listed once');
  expect(ids.includes(session?.sessionId ?? ''), 'the current session is listed');
  // A session that ends while the list is created may still be on it.
  if (racing) return;
  for (const known of world.sessions.values()) {
    if (known.fate === 'ended') expect(!ids.includes(known.sessionId), 'an ended session is not listed');
  }
}

export function idsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.map((view: { id: string }) => view.id) : [];
}
