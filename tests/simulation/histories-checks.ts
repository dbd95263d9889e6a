/** Checks after a history, once the stores have settled: who is accepted, who is listed, and what is stored. */
import { DeviceUnproven } from '$lib/server/sessions/device-keys';
import { SessionEnded } from '$lib/server/sessions/confirmed';
import { removeLeftovers } from '$lib/server/sessions/leftovers';
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/policy';
import { parseCookieValue } from '$lib/server/sessions/token';
import { copyOf } from './histories-bound';
import { idsOf } from './histories-lessons';
import { count, visit } from './histories-requests';
import { BrokenPromise, expect, TRIES, type World } from './histories-world';
import {
  isEndedByAbsoluteLimit,
  isOverdue,
  mustLeaveNothing,
  mustLive,
  type KnownAccount,
  type KnownSession,
} from './model';
import { confirmSession, listSessions, requireSession } from '../setup/requests';

/** `settle` moves the clock until every location shows the truth. */
export async function checkEveryPromise(world: World, settle: () => void): Promise<void> {
  for (const account of world.allAccounts) {
    const standing = await checkSessions(world, account);
    const accepted = standing.find(({ isAccepted }) => isAccepted);
    if (accepted) await checkFinalList(world, account, standing, accepted);
  }
  checkRecords(world);
  await checkRows(world);
  await checkLeftovers(world, settle);
  if (await putDeletedRecordsBack(world)) {
    settle();
    for (const session of world.sessions.values()) {
      if (session.fate !== 'ended') continue;
      expect(
        (await judgedAt(world, session, 'IAD')) === 'refused',
        'an ended session that is put back is refused',
      );
    }
  }
}

/** A session that is live. `isAccepted` is false if it may be bound to a key that its browser has not kept. */
type Standing = { session: KnownSession; isAccepted: boolean };

/** Returns the sessions that are live. */
async function checkSessions(world: World, account: KnownAccount): Promise<Standing[]> {
  const standing: Standing[] = [];
  const now = Date.now();
  for (const session of account.sessions) {
    const judged = [];
    for (const place of world.places) judged.push(await judgedAt(world, session, place));
    const [first = 'refused'] = judged;
    expect(
      judged.every((one) => one === first),
      'all places agree about a session',
    );
    const everywhere = first !== 'refused';
    expect(
      first !== 'unproven' || session.fate === 'unsure',
      'a browser that proves its device is not refused',
    );
    if (session.fate === 'ended') expect(!everywhere, 'an ended session is refused everywhere');
    if (isOverdue(session, now)) expect(!everywhere, 'an overdue session is refused everywhere');
    if (mustLive(session, now)) expect(everywhere, 'no live session is lost');
    if (everywhere) standing.push({ session, isAccepted: first === 'accepted' });
    if (session.binding && first === 'accepted') {
      const copied = await judgedAt(world, session, 'SIN', false);
      expect(copied === 'unproven', 'a copy of a bound session is refused without proof');
      count(world, 'in the end: bound');
    }
    if (mustLive(session, now)) count(world, 'in the end: live');
    else if (isEndedByAbsoluteLimit(session, now)) count(world, 'in the end: past the absolute limit only');
    else count(world, `in the end: ${session.fate}`);
  }
  return standing;
}

async function checkFinalList(
  world: World,
  account: KnownAccount,
  standing: Standing[],
  from: Standing,
): Promise<void> {
  const ids = await persist(async () => {
    const event = visit(world, await copyOf(world, from.session, true), 'FRA');
    const list = await listSessions(event, await requireSession(event));
    // That is a valid response for a page. A check asks again.
    if (list.unlisted) throw new Error('KV could not list');
    return idsOf(list.sessions);
  });
  expect(new Set(ids).size === ids.length, 'every session is listed exactly once');
  for (const { session } of standing) expect(ids.includes(session.sessionId), 'every live session is listed');
  const known = new Set(account.sessions.map(({ sessionId }) => sessionId));
  const unheardOf = ids.filter((id) => !known.has(id)).length;
  expect(unheardOf <= account.lost, 'nothing is listed that nobody made');
  expect(ids.length - unheardOf === standing.length, 'nothing is listed that is not accepted');
}

/** Does what later sign-ins would do: takes steps on what deleted accounts left, until there is no marker. */
async function checkLeftovers(world: World, settle: () => void): Promise<void> {
  const db = world.d1.connect();
  const kv = world.kv.place('SIN');
  for (let tries = 0; ; tries += 1) {
    const { results } = await db.prepare('SELECT user_id FROM Leftover').all<{ user_id: string }>();
    if (results.length === 0) break;
    expect(tries < TRIES, 'what a deleted account left is removed in the end');
    for (const { user_id } of results) await removeLeftovers({ kv, db }, user_id);
    settle();
  }
  const keys = world.kv.truth().map(({ key }) => key);
  for (const account of world.allAccounts) {
    const userId = account.sessions[0] && parseCookieValue(account.sessions[0].cookie)?.userId;
    if (!userId || !mustLeaveNothing(account)) continue;
    count(world, 'deleted, and nothing may be left');
    expect(!keys.some((key) => key.startsWith(`session:${userId}.`)), 'a deleted account leaves no record');
  }
}

/** KV's minimum: a record cannot expire sooner. */
const KV_MINIMUM_LIFETIME_MILLISECONDS = 61 * 1_000;

function checkRecords(world: World): void {
  const records = world.kv.truth();
  for (const { key, value, expiration } of records) {
    const ends = (expiration ?? Infinity) * 1_000;
    expect(
      ends <= Date.now() + ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS + 1_000,
      'every record expires by itself',
    );
    if (!key.startsWith('session:')) continue;
    const { id, created_at } = JSON.parse(value) as { id: string; created_at: number };
    expect(key === `session:${id}`, 'a session is under its own key');
    expect(
      ends <= created_at + ABSOLUTE_PERIOD_MILLISECONDS + KV_MINIMUM_LIFETIME_MILLISECONDS,
      'no record outlives the absolute limit',
    );
  }
  checkNoToken(world, JSON.stringify(records), 'KV');
  checkNoToken(world, world.logged.join('\n'), 'the log');
}

const TABLES = ['User', 'Key', 'RevokedSession', 'SecurityEvent'] as const;

async function checkRows(world: World): Promise<void> {
  const db = world.d1.connect();
  const users = new Set([...world.sessions.keys()].map((cookie) => parseCookieValue(cookie)?.userId ?? ''));
  const marks = [...users].map(() => '?').join();
  const ownRows = (table: (typeof TABLES)[number]) =>
    db
      .prepare(`SELECT * FROM "${table}" WHERE ${table === 'User' ? 'id' : 'user_id'} IN (${marks})`)
      .bind(...users);
  const [orphans, , , revoked, ...others] = await db.batch<Record<string, unknown>>([
    db.prepare('SELECT id FROM User WHERE id NOT IN (SELECT user_id FROM Key)'),
    ...TABLES.map(ownRows),
    db.prepare('SELECT * FROM SignInThrottle ORDER BY rowid DESC LIMIT 20'),
  ]);
  expect(orphans?.results.length === 0, 'no user is without a key');
  for (const { revoked_at, expires_at } of revoked?.results ?? []) {
    const kept = Number(expires_at) - Number(revoked_at);
    expect(
      kept === ABSOLUTE_PERIOD_MILLISECONDS,
      'the ledger keeps an end as long as the session could have lived',
    );
  }
  checkNoToken(world, JSON.stringify([revoked, others]), 'D1');
}

function checkNoToken({ sessions }: World, text: string, where: string): void {
  for (const cookie of sessions.keys()) {
    expect(!text.includes(parseCookieValue(cookie)?.token ?? cookie), `no token is in ${where}`);
  }
}

/**
 * Puts deleted records back, as a stale copy, a restored backup, or somebody with access to the namespace would. Returns false if there
 * were none.
 */
async function putDeletedRecordsBack(world: World): Promise<boolean> {
  const present = new Set(world.kv.truth().map(({ key }) => key));
  const gone = [...world.deletedRecords.values()].filter(({ key }) => !present.has(key));
  const earliest = Date.now() / 1_000 + 24 * 60 * 60;
  const usable = gone.filter(({ expiration }) => expiration !== null && expiration > earliest);
  for (const { key, value, metadata, expiration } of usable) {
    const put = world.kv.place('FRA').put(key, value, { metadata, expiration: expiration ?? undefined });
    // If the KV refuses or loses the write, there is one record less to check.
    await put.then(
      () => count(world, 'record put back'),
      () => undefined,
    );
  }
  return usable.length > 0;
}

/** Returns what a location says about a session, to its own device or to anyone who copied its cookie. */
function judgedAt(
  world: World,
  session: KnownSession,
  place: string,
  withProof = true,
): Promise<'accepted' | 'refused' | 'unproven'> {
  return persist(async () => {
    try {
      const event = visit(world, await copyOf(world, session, withProof), place);
      return (await confirmSession(event)) === null ? 'refused' : 'accepted';
    } catch (thrown) {
      if (thrown instanceof DeviceUnproven) return 'unproven';
      throw thrown;
    }
  });
}

/** The KV fails at random. A check repeats until it gets a response. */
async function persist<T>(check: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await check();
    } catch (error) {
      if (tries === TRIES || error instanceof SessionEnded || error instanceof BrokenPromise) throw error;
    }
  }
}
