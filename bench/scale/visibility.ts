/**
 * How long a session that was ended at one place is still greeted elsewhere: by a KV record alone, and by the app's own page views and account
 * pages, on the simulated KV (tests/simulation), with a clock of its own.
 */
import { Browser, CONFIRMATION_COOKIE } from '../../tests/setup/browser';
import { signUp, peekSession, confirmSession, signOut } from '../../tests/setup/requests';
import { quickHash } from '../../tests/simulation/histories-requests';
import { parseCookieValue } from '../../src/lib/server/sessions/token';
import { createHostileKV } from '../../tests/simulation/hostile-kv';
import type { Hostility } from '../../tests/simulation/hostility';
import { plainUsers } from '../../tests/simulation/plain-users';
import { createSqliteD1, readMigrations } from '../../tests/simulation/sqlite-d1';

const PLACES = Array.from({ length: 20 }, (_, i) => `place ${i + 1}`);
const SESSIONS = 30;
const STEP_SECONDS = 5;
const UNTIL_SECONDS = 150;
const WARM_MILLISECONDS = 60_000;

const MODELS: Record<string, Partial<Hostility>> = {
  'a cache of up to 60 s, as documented': { cacheMilliseconds: 60_000 },
  'up to 90 s, own writes missed, writes late': {
    cacheMilliseconds: 90_000,
    ownWriteMissRate: 0.25,
    reorderMilliseconds: 2_000,
  },
};

/** `record`: what sessions in KV alone would say. */
export type Curve = { model: string; asks: 'record' | 'peek' | 'require'; accepted: number[] };

/** The share of places that accept an ended session, every five seconds after its end was answered. */
export async function visibility(): Promise<{
  seconds: number[];
  places: number;
  sessions: number;
  curves: Curve[];
}> {
  const seconds = Array.from({ length: UNTIL_SECONDS / STEP_SECONDS + 1 }, (_, i) => i * STEP_SECONDS);
  const d1 = createSqliteD1({ migrations: readMigrations() });
  const { now, log } = { now: Date.now, log: console.log };
  console.log = () => undefined;
  const curves: Curve[] = [];
  try {
    for (const [model, hostility] of Object.entries(MODELS)) {
      const none = () => seconds.map(() => 0);
      const counts = { seconds, record: none(), peek: none(), require: none() };
      for (let seed = 1; seed <= SESSIONS; seed += 1) await oneSession(d1, hostility, seed, counts);
      const share = (count: number) => Number((count / SESSIONS / PLACES.length).toFixed(3));
      for (const asks of ['record', 'peek', 'require'] as const)
        curves.push({ model, asks, accepted: counts[asks].map(share) });
    }
  } finally {
    Object.assign(Date, { now });
    Object.assign(console, { log });
    d1.close();
  }
  return { seconds, places: PLACES.length, sessions: SESSIONS, curves };
}

type Counts = { seconds: number[] } & Record<Curve['asks'], number[]>;

/** Signs up, has every place look at the session at some time, signs out at one, and counts who accepts it when. */
async function oneSession(
  d1: ReturnType<typeof createSqliteD1>,
  hostility: Partial<Hostility>,
  seed: number,
  { seconds, record, peek, require }: Counts,
): Promise<void> {
  let clock = Date.UTC(2026, 0, 1);
  Date.now = () => clock;
  d1.reset();
  const kv = createHostileKV({ seed, hostility, now: () => clock });
  const at = (place: string, browser: Browser) =>
    browser.request({
      kv: kv.place(place),
      db: d1.db,
      layout: 'owner',
      passwordHash: quickHash,
      users: plainUsers,
      cookieSecrets: { current: 'a secret of the simulation' },
    });

  const owner = new Browser();
  await signUp(at('place 1', owner), 'ada', 'correct horse battery');
  const cookie = owner.cookie ?? '';
  const key = `session:${parseCookieValue(cookie)?.sessionId}`;
  const confirmations = new Map<string, string>();
  /** A copy of the browser at a place, with the confirmation that it had, however old. */
  const copyAt = (place: string) => {
    const confirmation = confirmations.get(place);
    const copy = new Browser().plant(cookie);
    return confirmation ? copy.plant(confirmation, CONFIRMATION_COOKIE) : copy;
  };
  const start = clock;
  for (const [i, place] of PLACES.entries()) {
    // Evenly over the time before the end, so that caches and confirmations are of every age.
    clock = start + Math.round((WARM_MILLISECONDS * (i + 1)) / PLACES.length);
    const visitor = copyAt(place);
    await peekSession(at(place, visitor));
    if (visitor.confirmation) confirmations.set(place, visitor.confirmation);
  }
  await signOut(at('place 1', owner));
  await owner.settle();
  const ended = clock;
  for (const [i, second] of seconds.entries()) {
    clock = ended + second * 1_000;
    for (const place of PLACES) {
      if (await kv.place(place).get(key)) record[i] = (record[i] ?? 0) + 1;
      if (await peekSession(at(place, copyAt(place)))) peek[i] = (peek[i] ?? 0) + 1;
      if (await confirmSession(at(place, copyAt(place)))) require[i] = (require[i] ?? 0) + 1;
    }
  }
}
