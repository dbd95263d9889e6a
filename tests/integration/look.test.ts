/** `GET /api/session`, which an open page requests once a minute, and each of its responses. A look is not a use. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ABSOLUTE_PERIOD_MILLISECONDS,
  ACTIVE_PERIOD_MILLISECONDS,
  IDLE_PERIOD_MILLISECONDS,
} from '$lib/server/policy';
import { createToken } from '$lib/server/sessions/token';
import { GET } from '../../src/routes/api/session/+server';
import { Browser } from '../setup/browser';
import {
  changePassword,
  deleteAccount,
  peekSession,
  requireSession,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signOut,
  stepUp,
} from '../setup/requests';
import type { Step } from '../simulation/steps';
import { call, PASSWORD, sessionIdOf, setScene, signInAs, storesWith, type Scene } from './routes';

let scene: Scene;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  scene = await setScene();
});

afterEach(() => {
  vi.useRealTimers();
});

type Seen = { status: number; body: Record<string, unknown>; steps: Step[]; before: string | undefined };

async function look(browser = scene.phone, hooks = {}): Promise<Seen> {
  const steps: Step[] = [];
  const scenario = { name: 'a look', method: 'GET' as const, run: GET, browser: () => browser };
  const { outcome, before } = await call(scenario, scene, {
    beforeStep: (step: Step) => void steps.push(step),
    ...hooks,
  });
  const { returned } = outcome as { returned: Response };
  return { status: returned.status, body: await returned.json(), steps, before };
}

/** The laptop's requests that change the user's other sessions. */
const post = (browser: Browser) => browser.request({ ...storesWith({}), method: 'POST' });
async function fromLaptop<T>(
  act: (event: ReturnType<typeof post>, session: Awaited<ReturnType<typeof requireSession>>) => Promise<T>,
) {
  const event = post(scene.laptop);
  await act(event, await requireSession(event));
  await scene.laptop.settle();
}

describe('200', () => {
  it('a look returns who is signed in, and until when if the session is not used again', async () => {
    const { status, body, steps } = await look();
    expect(status).toBe(200);
    expect(body).toEqual({
      userId: sessionIdOf(scene.phone).split('.')[0],
      username: scene.username,
      until: expect.any(Number),
    });
    const idle = ACTIVE_PERIOD_MILLISECONDS + IDLE_PERIOD_MILLISECONDS;
    expect(Math.abs(Number(body.until) - Date.now() - idle)).toBeLessThan(60_000);
    expect(steps.map(({ store }) => store).toSorted()).toEqual(['D1', 'KV']);
  });

  it('a look brings a new confirmation, so that the page views of the next minute ask no store', async () => {
    expect(scene.phone.confirmation).toBeUndefined();
    await look();
    const steps: Step[] = [];
    const beforeStep = (step: Step) => void steps.push(step);
    const viewer = await peekSession(scene.phone.request(storesWith({ beforeStep })));
    expect([viewer, steps]).toEqual([{ username: scene.username }, []]);
  });

  it('a look is not a use: it renews nothing and sets no session cookie, even when a renewal is due', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1_000);
    const key = `session:${sessionIdOf(scene.phone)}`;
    const record = await env.SESSIONS.get(key);
    const { status, steps } = await look();
    expect(status).toBe(200);
    expect(steps.filter(({ op }) => op === 'put')).toEqual([]);
    expect(await env.SESSIONS.get(key)).toBe(record);
  });
});

describe('401', () => {
  it('a look from a browser without a cookie is answered 401 and costs nothing', async () => {
    const { status, body, steps } = await look(new Browser());
    expect([status, body.title, body.ended, steps]).toEqual([401, 'Not signed in', undefined, []]);
  });

  const ENDS = [
    {
      type: 'session-revoked',
      act: () => fromLaptop((event, session) => revokeSession(event, session, sessionIdOf(scene.phone))),
    },
    { type: 'others-revoked', act: () => fromLaptop(revokeOtherSessions) },
    { type: 'all-revoked', act: () => fromLaptop(revokeAllSessions) },
    {
      type: 'password-changed',
      act: () =>
        fromLaptop((event, session) => changePassword(event, session, PASSWORD, 'another good password')),
    },
  ];

  it.each(ENDS)('a look returns where the session was ended from: $type', async ({ type, act }) => {
    const at = Date.now();
    await act();
    const { status, body } = await look();
    expect(status).toBe(401);
    expect(body.ended).toEqual({
      type,
      device: { browser: 'Chrome 140', system: 'Linux', kind: 'desktop' },
      place: { country: 'DE', city: 'Berlin' },
      at: expect.any(Number),
    });
    expect(Math.abs(Number((body.ended as { at: number }).at) - at)).toBeLessThan(30_000);
  });

  it.each(ENDS)('a look knows the end from D1 alone if KV does not answer: $type', async ({ act, type }) => {
    await act();
    const down = (step: Step) => {
      if (step.store === 'KV') throw new Error('KV is down');
    };
    const { status, body } = await look(scene.phone, { beforeStep: down });
    // A raised epoch shows only in comparison with a record, and KV cannot be read. So the end is unknown, and not claimed.
    expect([status, (body.ended as { type: string } | undefined)?.type]).toEqual(
      type === 'session-revoked' ? [401, type] : [503, undefined],
    );
  });

  it('after a rotation, a look returns how the successor ended, and only what happened after the rotation', async () => {
    await fromLaptop(revokeOtherSessions);
    await fromLaptop((event, session) => stepUp(event, session, PASSWORD));
    await signInAs(scene, scene.phone);
    await env.SESSIONS.delete(`session:${sessionIdOf(scene.laptop)}`);
    // KV has lost the record, but nothing has ended the session since it began.
    expect((await look(scene.laptop)).status).toBe(503);
    const event = post(scene.phone);
    await revokeOtherSessions(event, await requireSession(event));
    const { status, body } = await look(scene.laptop);
    expect([status, body.ended]).toMatchObject([401, { type: 'others-revoked' }]);
  });

  it('a look leaves the session cookie, so that every tab learns the same, and takes the confirmation', async () => {
    await look();
    expect(scene.phone.confirmation).toBeDefined();
    await fromLaptop((event, session) => revokeSession(event, session, sessionIdOf(scene.phone)));
    const first = await look();
    expect(scene.phone.confirmation).toBeUndefined();
    const second = await look();
    expect(second.before).toBe(first.before);
    expect(second.body).toEqual(first.body);
  });

  it('a look is answered 401 after an end even if D1 cannot tell what ended the session', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const key = `session:${sessionIdOf(scene.phone)}`;
    const record = (await env.SESSIONS.get(key)) ?? '';
    await fromLaptop((event, session) => revokeOtherSessions(event, session));
    // KV is late, so the record’s epoch tells that it ended.
    await env.SESSIONS.put(key, record);
    let asked = 0;
    const { status, body } = await look(scene.phone, {
      beforeStep: ({ store }: Step) => {
        if (store === 'D1' && ++asked > 1) throw new Error('D1_ERROR: no such table: SecurityEvent');
      },
    });
    expect([status, body.ended, asked > 1]).toEqual([401, undefined, true]);
  });

  it('a look is answered 401 after signing out in another tab', async () => {
    const tab = new Browser().plant(scene.phone.cookie ?? '');
    await signOut(post(scene.phone));
    const { status, body } = await look(tab);
    expect([status, body.ended]).toMatchObject([401, { type: 'signed-out' }]);
  });

  it('a look is answered 401 after the account was deleted', async () => {
    await fromLaptop((event, session) => deleteAccount(event, session, PASSWORD));
    const { status, body } = await look();
    expect([status, body.ended]).toEqual([401, undefined]);
  });

  it('a look is answered 401 after the absolute end, when KV has no record any more', async () => {
    const bornAt = Date.now() - ABSOLUTE_PERIOD_MILLISECONDS - 1_000;
    const sessionId = sessionIdOf(scene.phone);
    await env.DB.prepare('UPDATE SecurityEvent SET at = ?1 WHERE session_id = ?2')
      .bind(bornAt, sessionId)
      .run();
    await env.SESSIONS.delete(`session:${sessionId}`);
    const { status, body } = await look();
    expect([status, body.ended]).toEqual([401, undefined]);
  });
});

it('a look is answered 409 if this browser has another session by now', async () => {
  const tab = new Browser().plant(scene.laptop.cookie ?? '');
  await fromLaptop((event, session) => stepUp(event, session, PASSWORD));
  expect((await look(tab)).status).toBe(409);
  expect((await look(scene.laptop)).status).toBe(200);
});

describe('503', () => {
  it('a look is answered 503 if KV does not show the session and nothing says that it ended', async () => {
    await env.SESSIONS.delete(`session:${sessionIdOf(scene.phone)}`);
    const { status, body } = await look();
    expect([status, body.title]).toEqual([503, 'Not known yet']);
  });

  it.each(['KV', 'D1'])('a look is answered 503 if %s is down', async (store) => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const { status, body } = await look(scene.phone, {
      beforeStep: (step: Step) => {
        if (step.store === store) throw new Error('down');
      },
    });
    expect([status, body.title]).toEqual([503, 'Store unavailable']);
  });

  it('a made-up token of an existing user learns nothing, whatever happened to that user’s sessions', async () => {
    await fromLaptop(revokeOtherSessions);
    const [userId = ''] = sessionIdOf(scene.laptop).split('.');
    const { status, body } = await look(new Browser().plant(`${userId}.${createToken()}`));
    expect([status, body.ended]).toEqual([503, undefined]);
  });
});
