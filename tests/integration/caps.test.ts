/** What the list and the download contain if a user has very many sessions and events, and that they say so. */
import { env } from 'cloudflare:workers';
import { beforeEach, expect, it, vi } from 'vitest';
import {
  EVENTS_IN_DOWNLOAD_MAX,
  REVOKED_READ_MAX,
  SESSIONS_LISTED_MAX,
  SESSIONS_SHOWN_MAX,
} from '$lib/server/policy';
import { listSessions, requireSession, revokeOtherSessions } from '../setup/requests';
import { GET as getData } from '../../src/routes/(account)/account/data/+server';
import { load as loadAccount } from '../../src/routes/(account)/account/+page.server';
import { load as loadSessions } from '../../src/routes/(account)/sessions/+page.server';
import { GET as getSessions } from '../../src/routes/api/sessions/+server';
import { call, sessionIdOf, setScene, storesWith, type Scene } from './routes';

let scene: Scene;
let userId: string;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  scene = await setScene();
  userId = sessionIdOf(scene.laptop).split('.')[0] ?? '';
});

/** Stores this many copies of the phone's record under new ids. Each was used a second before the next. Every `dead`th has ended. */
async function putSessions(count: number, dead = 0): Promise<void> {
  const record: unknown = await env.SESSIONS.get(`session:${sessionIdOf(scene.phone)}`, 'json');
  const expiration = Math.round(Date.now() / 1_000) + 86_400;
  const put = async (n: number) => {
    const id = `${userId}.${String(n).padStart(43, '0')}`;
    const used = { active_expires: Date.now() - n * 1_000, id };
    const session = { ...(record as object), ...used, ...(dead > 0 && n % dead === 1 && { epoch: -1 }) };
    await env.SESSIONS.put(`session:${id}`, JSON.stringify(session), { expiration, metadata: session });
  };
  for (let n = 0; n < count; n += 50) await Promise.all(Array.from({ length: 50 }, (_, i) => put(n + i)));
}

/** Ends this many of those sessions in the ledger, from the `first` on. KV keeps listing them. */
async function endSessions(first: number, count: number): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
     WITH RECURSIVE n (i) AS (SELECT ?2 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2 + ?3)
     SELECT ?1 || '.' || printf('%043d', i), ?1, ?4, ?4 + 86400000, 'revoked' FROM n`,
  )
    .bind(userId, first, count, Date.now())
    .run();
}

const returned = async (
  run: (event: never) => unknown,
  page: '/account' | '/sessions' | 'GET /api/sessions',
) => {
  const { outcome } = await call({ name: page, page, method: 'GET', run }, scene, {});
  return (outcome as { returned: unknown }).returned;
};

it('the sessions page shows the most recently used of many sessions, and says how many there are', async () => {
  await putSessions(250);
  const page = (await returned(loadSessions, '/sessions')) as {
    sessions: { current: boolean; lastActiveAt: number }[];
    otherCount: number;
    cut: string;
  };
  expect(page.otherCount).toBe(251);
  expect(page.cut).toContain(`${SESSIONS_SHOWN_MAX - 1} last used of 251`);
  expect(page.sessions).toHaveLength(SESSIONS_SHOWN_MAX);
  const [first, ...others] = page.sessions.map(({ lastActiveAt }) => lastActiveAt);
  expect(page.sessions[0]?.current).toBe(true);
  expect(first).toBeDefined();
  expect(others).toEqual(others.toSorted((a, b) => b - a));
});

it('if a user has more sessions than the list reads, it says that there may be more, and "end the others" ends all of them', async () => {
  await putSessions(SESSIONS_LISTED_MAX + 50);
  const response = (await returned(getSessions, 'GET /api/sessions')) as Response;
  const list = (await response.json()) as { sessions: unknown[]; more?: boolean };
  expect(list.more).toBe(true);
  expect(list.sessions.length).toBeLessThanOrEqual(SESSIONS_LISTED_MAX + 1);
  const event = scene.laptop.request({ ...storesWith({}), method: 'POST' });
  // KV was not asked for their number.
  expect(await revokeOtherSessions(event, await requireSession(event))).toBeNull();
  const epoch = await env.DB.prepare('SELECT session_epoch FROM User WHERE id = ?1')
    .bind(userId)
    .first('session_epoch');
  expect(epoch).toBeGreaterThan(0);
});

it('of a list that was cut, no number is told, however many of what was read have ended', async () => {
  await putSessions(SESSIONS_LISTED_MAX + 50, 2);
  const event = scene.laptop.request({ ...storesWith({}), method: 'POST' });
  const session = await requireSession(event);
  const list = await listSessions(event, session);
  expect(list.more).toBe(true);
  expect(list.sessions.length).toBeLessThan(SESSIONS_LISTED_MAX * 0.6);
  expect(await revokeOtherSessions(event, session)).toBeNull();
});

it('the account page does not count a session that has ended while KV still lists it; if very many have ended, it tells no number', async () => {
  const counted = async () =>
    ((await returned(loadAccount, '/account')) as { sessionCount: number | null }).sessionCount;
  await putSessions(50);
  expect(await counted()).toBe(52);
  await endSessions(0, 3);
  expect(await counted()).toBe(49);
  await endSessions(1_000, REVOKED_READ_MAX);
  expect(await counted()).toBeNull();
});

it('the download holds the newest events, and says that there are older ones', async () => {
  await env.DB.prepare(
    `INSERT INTO SecurityEvent (user_id, type, device, place, at)
     WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i <= ?2)
     SELECT ?1, 'sign-in-failed', '{}', '{}', ?3 + i FROM n`,
  )
    .bind(userId, EVENTS_IN_DOWNLOAD_MAX, Date.now())
    .run();
  const response = (await returned(getData, 'GET /api/sessions')) as Response;
  const data = (await response.json()) as { activity: unknown[]; activityNote: string };
  expect(data.activity).toHaveLength(EVENTS_IN_DOWNLOAD_MAX);
  expect(data.activityNote).toContain(String(EVENTS_IN_DOWNLOAD_MAX));
});
