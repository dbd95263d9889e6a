/**
 * A session that is used from elsewhere than where it was signed in (P9, "noticed"): what is recorded, what is not, how often, and how long
 * the list shows it. On the real D1 and KV.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { proven } from '$lib/server/sessions/proof';
import {
  HOUR_MILLISECONDS,
  KNOWN_MOVES_PER_DAY_MAX,
  MOVE_NOTED_EVERY_MILLISECONDS,
  MOVES_PER_DAY_MAX,
  MOVES_READ_AT_ONCE_MAX,
  MOVES_READ_MAX,
} from '$lib/server/policy';
import { listEvents } from '$lib/server/sessions/activity';
import { createLedger } from '$lib/server/sessions/ledger';
import { sessionIdFor } from '$lib/server/sessions/token';
import { Browser } from '../setup/browser';
import { listSessions, requireSession, revokeOtherSessions, signIn, signUp, stepUp } from '../setup/requests';
import { quickHash } from '../simulation/histories-requests';

const PASSWORD = 'correct horse battery';
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
const ANDROID =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';
const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36';
const BERLIN = { country: 'DE', city: 'Berlin' };
const LAGOS = { country: 'NG', city: 'Lagos' };

const options = {
  kv: env.SESSIONS,
  db: env.DB,
  layout: 'owner' as const,
  passwordHash: quickHash,
  deviceSecret: 'a secret of the tests',
};

let username: string;
/** The browser where the session was signed in. */
let owner: Browser;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.spyOn(console, 'log').mockImplementation(() => undefined);
  username = `ada-${crypto.randomUUID().slice(0, 13)}`;
  owner = new Browser(WINDOWS, { cf: BERLIN });
  await signUp(owner.request({ ...options, method: 'POST' }), username, PASSWORD);
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Returns a browser with a copy of another's cookie. */
function copyOf(browser: Browser, userAgent: string, from: ConstructorParameters<typeof Browser>[1] = {}) {
  return new Browser(userAgent, { cf: BERLIN, ...from }).plant(browser.cookie ?? '');
}

/** Makes one confirmed request and waits for its background work. */
async function use(browser: Browser) {
  const event = browser.request(options);
  const session = await requireSession(event);
  await browser.settle();
  return { event, session };
}

async function listOf(browser: Browser) {
  const { event, session } = await use(browser);
  const { sessions } = await listSessions(event, session);
  await browser.settle();
  return sessions;
}

const userId = () => (owner.cookie ?? '').split('.')[0] ?? '';
const idOf = (browser: Browser) => {
  const [user = '', token = ''] = (browser.cookie ?? '').split('.');
  return sessionIdFor(user, token);
};

async function moves(): Promise<{ session_id: string; device: string; place: string }[]> {
  const rows = env.DB.prepare(
    "SELECT session_id, device, place FROM SecurityEvent WHERE user_id = ?1 AND type = 'session-moved' ORDER BY id",
  );
  return (await rows.bind(userId()).all<{ session_id: string; device: string; place: string }>()).results;
}

async function answer(
  browser: Browser,
  sessionId: string,
  type: 'move-accepted' | 'move-denied',
  seen: number,
) {
  const event = browser.request({ ...options, method: 'POST' });
  const session = proven(await requireSession(event));
  return event.locals.auth.sessions.answerMoves(session, { sessionId, type, seen });
}

describe('a use from elsewhere', () => {
  it('a use from elsewhere is recorded as one event, and both places are in the list', async () => {
    const thief = copyOf(owner, ANDROID, { cf: LAGOS });
    await use(thief);
    expect(await moves()).toEqual([
      {
        session_id: idOf(owner),
        device: JSON.stringify({ browser: 'Chrome', system: 'Android', kind: 'phone' }),
        place: JSON.stringify(LAGOS),
      },
    ]);
    const [listed] = await listOf(owner);
    expect(listed).toMatchObject({
      device: { browser: 'Firefox 145', system: 'Windows' },
      place: BERLIN,
      moved: [{ device: { browser: 'Chrome', system: 'Android' }, place: LAGOS }],
    });
  });

  it('a session that was used from elsewhere is first among the others', async () => {
    const tablet = new Browser(WINDOWS, { cf: BERLIN });
    await signIn(tablet.request({ ...options, method: 'POST' }), username, PASSWORD);
    vi.advanceTimersByTime(2 * HOUR_MILLISECONDS);
    const phone = new Browser(WINDOWS, { cf: BERLIN });
    await signIn(phone.request({ ...options, method: 'POST' }), username, PASSWORD);
    expect((await listOf(owner)).map(({ id }) => id)).toEqual([owner, phone, tablet].map(idOf));
    await use(copyOf(tablet, ANDROID));
    expect((await listOf(owner)).map(({ id }) => id)).toEqual([owner, tablet, phone].map(idOf));
  });

  it.each([
    { what: 'another browser', userAgent: CHROME, from: {} },
    {
      what: 'another system',
      userAgent: WINDOWS.replace('Windows NT 10.0; Win64; x64', 'X11; Linux x86_64'),
      from: {},
    },
    { what: 'another country', userAgent: WINDOWS, from: { cf: LAGOS } },
    { what: 'the Tor network', userAgent: WINDOWS, from: { cf: { country: 'T1' } } },
    { what: 'a tool', userAgent: 'curl/8.5.0', from: {} },
    { what: 'no user agent', userAgent: '', from: {} },
  ])('$what is a move', async ({ userAgent, from }) => {
    await use(copyOf(owner, userAgent, from));
    expect(await moves()).toHaveLength(1);
  });

  it.each([
    { what: 'a new version', userAgent: WINDOWS.replaceAll('145', '146'), from: {} },
    { what: 'a new city', userAgent: WINDOWS, from: { cf: { country: 'DE', city: 'Hamburg' } } },
    { what: 'a country that is not known', userAgent: WINDOWS, from: { cf: {} } },
    { what: "Cloudflare's unknown country", userAgent: WINDOWS, from: { cf: { country: 'XX' } } },
  ])('$what is not a move', async ({ userAgent, from }) => {
    await use(copyOf(owner, userAgent, from));
    expect(await moves()).toEqual([]);
  });

  it('recording a move writes no KV record', async () => {
    const writes = vi.fn();
    const kv = new Proxy(env.SESSIONS, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (name === 'put' || name === 'delete') writes();
        return typeof method === 'function' ? method.bind(target) : method;
      },
    });
    const thief = copyOf(owner, ANDROID);
    await requireSession(thief.request({ ...options, kv }));
    await thief.settle();
    expect(await moves()).toHaveLength(1);
    expect(writes).not.toHaveBeenCalled();
  });

  it('no move is looked up for a made-up session', async () => {
    const stranger = new Browser(ANDROID).plant(`${userId()}.${'x'.repeat(43)}`);
    await expect(use(stranger)).rejects.toMatchObject({ name: 'SessionEnded' });
    expect(await moves()).toEqual([]);
  });
});

describe('client hints that come and go', () => {
  const brave = { 'sec-ch-ua': '"Brave";v="142", "Chromium";v="142"', 'sec-ch-ua-platform': '"Windows"' };
  const desktopSite = {
    'sec-ch-ua': '"Google Chrome";v="142"',
    'sec-ch-ua-platform': '"Android"',
    'sec-ch-ua-mobile': '?0',
  };
  const asLinux = CHROME.replace('Windows NT 10.0; Win64; x64', 'X11; Linux x86_64');

  it.each([
    { what: 'a brand', userAgent: CHROME, hints: brave },
    { what: 'a platform', userAgent: asLinux, hints: desktopSite },
  ])('client hints that come and go are no move: $what', async ({ userAgent, hints }) => {
    for (const [first, then] of [
      [hints, undefined],
      [undefined, hints],
    ]) {
      const browser = new Browser(userAgent, { cf: BERLIN, hints: first });
      await signIn(browser.request({ ...options, method: 'POST' }), username, PASSWORD);
      await use(copyOf(browser, userAgent, { hints: then }));
      await use(copyOf(browser, userAgent, { hints: first }));
    }
    expect(await moves()).toEqual([]);
  });

  it('client hints that come and go do not hide another browser', async () => {
    const browser = new Browser(CHROME, { cf: BERLIN, hints: brave });
    await signIn(browser.request({ ...options, method: 'POST' }), username, PASSWORD);
    await use(copyOf(browser, CHROME, { hints: { 'sec-ch-ua': '"Google Chrome";v="142"' } }));
    expect(await moves()).toHaveLength(1);
  });
});

describe('how often it is noted', () => {
  it('a move is recorded once an hour for each place, however two devices alternate for a day', async () => {
    const other = copyOf(owner, ANDROID, { cf: LAGOS });
    const day = 24 * HOUR_MILLISECONDS;
    const step = 10 * 60 * 1_000;
    for (let time = 0; time < day; time += step) {
      vi.advanceTimersByTime(step);
      await use(owner);
      await use(other);
    }
    const noted = (await moves()).length;
    expect(noted).toBeGreaterThanOrEqual(23);
    expect(noted).toBeLessThanOrEqual(KNOWN_MOVES_PER_DAY_MAX);
    expect((await listOf(owner))[0]?.moved).toHaveLength(1);
  });

  it('of many requests at once, one records the move', async () => {
    const thieves = Array.from({ length: 8 }, () => copyOf(owner, ANDROID));
    await Promise.all(thieves.map(use));
    expect(await moves()).toHaveLength(1);
  });

  it('a known move costs nothing', async () => {
    const thief = copyOf(owner, ANDROID);
    await use(thief);
    const { event } = await use(thief);
    expect(event.locals.stores.meter.cost().d1Queries).toBe(1);
    vi.advanceTimersByTime(MOVE_NOTED_EVERY_MILLISECONDS + 1);
    // The confirmation, the renewal that is due, and the recording of the move.
    expect((await use(thief)).event.locals.stores.meter.cost().d1Queries).toBe(3);
  });

  it('moves have a limit for each session and day, which hides no place that is new', async () => {
    // More places at once than a person has: a thief tries to fill the quota.
    const countries = Array.from({ length: 26 }, (_, i) => `A${String.fromCharCode(65 + i)}`);
    for (let i = 0; i < 3; i += 1) {
      await use(copyOf(owner, ANDROID, { cf: { country: 'FR' } }));
      vi.advanceTimersByTime(MOVE_NOTED_EVERY_MILLISECONDS + 1);
    }
    expect(await moves()).toHaveLength(3);
    for (const country of countries) await use(copyOf(owner, ANDROID, { cf: { country } }));
    // The known places have used up their share, and a new one is still recorded.
    vi.advanceTimersByTime(MOVE_NOTED_EVERY_MILLISECONDS + 1);
    await use(copyOf(owner, ANDROID, { cf: { country: 'AA' } }));
    expect(await moves()).toHaveLength(29);
    await use(copyOf(owner, ANDROID, { cf: { country: 'BR' } }));
    expect(await moves()).toHaveLength(30);
    for (const country of countries) {
      await use(copyOf(owner, ANDROID, { cf: { country: country.replace('A', 'C') } }));
    }
    expect(await moves()).toHaveLength(MOVES_PER_DAY_MAX);
    expect((await listOf(owner))[0]?.moved.length).toBeGreaterThan(0);
  });
});

describe('how much of it is read', () => {
  it('of a session with more moves than are read, the latest are shown, and they hide none of another session', async () => {
    const tablet = new Browser(WINDOWS, { cf: BERLIN });
    await signIn(tablet.request({ ...options, method: 'POST' }), username, PASSWORD);
    await use(copyOf(tablet, ANDROID, { cf: LAGOS }));
    const device = JSON.stringify({ browser: 'Chrome', system: 'Android', kind: 'phone' });
    const insert = env.DB.prepare(
      "INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at) VALUES (?1, 'session-moved', ?2, ?3, ?4, ?5)",
    );
    const countries = Array.from({ length: MOVES_READ_MAX + 10 }, (_, i) =>
      [65 + Math.floor(i / 26), 65 + (i % 26)].map((code) => String.fromCharCode(code)).join(''),
    );
    await env.DB.batch(
      countries.map((country) =>
        insert.bind(userId(), idOf(owner), device, JSON.stringify({ country, city: null }), Date.now()),
      ),
    );
    const [own, other] = await listOf(owner);
    expect(own?.moved.map(({ place }) => place.country)).toEqual(
      countries.reverse().slice(0, MOVES_READ_MAX),
    );
    expect(other?.moved).toMatchObject([{ place: LAGOS }]);
  });
});

describe('how much of many sessions is read', () => {
  it('of many sessions with many moves only the latest few of each are read', async () => {
    const ids = Array.from({ length: 500 }, (_, n) => `${userId()}.${String(n).padStart(43, '0')}`);
    await env.DB.prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?3)
       INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at)
       SELECT ?1, 'session-moved', asked.value, json_set(?4, '$.browser', 'Browser ' || i), '{}', i
       FROM n, json_each(?2) AS asked`,
    )
      .bind(
        userId(),
        JSON.stringify(ids),
        MOVES_PER_DAY_MAX,
        JSON.stringify({ browser: 'Chrome', system: 'Android', kind: 'phone' }),
      )
      .run();
    const standing = await createLedger(env.DB, { hasBindings: true }).standing(userId(), ids);
    const read = ids.map((id) => standing?.moves.get(id)?.open.map(({ at }) => at));
    const each = MOVES_READ_AT_ONCE_MAX / ids.length;
    expect(read).toEqual(ids.map(() => Array.from({ length: each }, (_, n) => MOVES_PER_DAY_MAX - n)));
  });
});

describe('until when it is shown', () => {
  it('a thief who comes back as the first browser erases no mark', async () => {
    await use(copyOf(owner, ANDROID, { cf: LAGOS }));
    vi.advanceTimersByTime(3 * 24 * HOUR_MILLISECONDS);
    for (let i = 0; i < 3; i += 1) await use(copyOf(owner, WINDOWS));
    expect((await listOf(owner))[0]?.moved).toMatchObject([{ place: LAGOS }]);
  });

  it('a mark stays with the session when its browser rotates its token, before and after', async () => {
    const thief = copyOf(owner, ANDROID, { cf: LAGOS });
    const first = idOf(owner);
    await use(thief);
    const password = owner.request({ ...options, method: 'POST' });
    await stepUp(password, await requireSession(password), PASSWORD);
    const others = owner.request({ ...options, method: 'POST' });
    await revokeOtherSessions(others, await requireSession(others));
    expect(idOf(owner)).not.toBe(first);
    expect((await listOf(owner))[0]?.moved).toMatchObject([{ place: LAGOS }]);
    await use(copyOf(owner, CHROME));
    expect((await moves()).map(({ session_id }) => session_id)).toEqual([first, first]);
    expect((await listOf(owner))[0]?.moved).toMatchObject([
      { device: { browser: 'Chrome' } },
      { place: LAGOS },
    ]);
    const { events } = await listEvents(env.DB, userId(), null);
    expect(new Set(events.map(({ line }) => line))).toEqual(new Set([first]));
  });

  it('once the user says that it was them, it is no move any more, but a later one is', async () => {
    const phone = copyOf(owner, ANDROID, { cf: LAGOS });
    await use(phone);
    const seen = (await listOf(owner))[0]?.moved[0]?.id ?? 0;
    expect(await answer(owner, idOf(owner), 'move-accepted', seen)).toBe(true);
    expect((await listOf(owner))[0]?.moved).toEqual([]);
    vi.advanceTimersByTime(MOVE_NOTED_EVERY_MILLISECONDS + 1);
    await use(phone);
    expect(await moves()).toHaveLength(1);
    await use(copyOf(owner, CHROME));
    expect((await listOf(owner))[0]?.moved).toMatchObject([{ device: { browser: 'Chrome' } }]);
  });

  it('an answer covers no move that came after the page was shown', async () => {
    await use(copyOf(owner, ANDROID));
    const seen = (await listOf(owner))[0]?.moved[0]?.id ?? 0;
    await use(copyOf(owner, CHROME));
    expect(await answer(owner, idOf(owner), 'move-accepted', seen)).toBe(false);
    expect((await listOf(owner))[0]?.moved).toHaveLength(2);
  });

  it('nobody can answer for another user', async () => {
    await use(copyOf(owner, ANDROID));
    const mallory = new Browser();
    await signUp(mallory.request({ ...options, method: 'POST' }), `${username}-2`, PASSWORD);
    expect(await answer(mallory, idOf(owner), 'move-accepted', Number.MAX_SAFE_INTEGER)).toBe(false);
    expect((await listOf(owner))[0]?.moved).toHaveLength(1);
  });
});
