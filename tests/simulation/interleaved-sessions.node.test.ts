/**
 * Every interleaving, and not a sample, of the storage steps of two requests that compete for a session. The app's own modules run on a KV
 * and a D1 that take one step at a time, in every possible order.
 */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { ABSOLUTE_PERIOD_MILLISECONDS, CONFIRMATION_SECONDS } from '$lib/server/policy';
import { parseCookieValue } from '$lib/server/sessions/token';
import { Browser, CONFIRMATION_COOKIE, type TestEvent } from '../setup/browser';
import { quickHash } from './histories-requests';
import { createHostileKV } from './hostile-kv';
import type { Hostility } from './hostility';
import { commute, everyInterleaving, type Interleaving, type Process } from './interleavings';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';
import type { Step, StepHooks } from './steps';
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

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;
const TIMEOUT_MILLISECONDS = 240_000;
const PASSWORD = 'correct horse battery';
const d1 = createSqliteD1({ migrations: readMigrations() });
const report = console.info;

beforeAll(() => {
  // No time limit passes, so a busy machine changes nothing.
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  const nothing = () => undefined;
  vi.stubGlobal('console', { ...console, log: nothing, warn: nothing, error: nothing });
});

beforeEach(() => d1.reset());

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  d1.close();
});

type Place = 'FRA' | 'SIN';

/** A user with a laptop and a phone, some time after both signed in, and the stores. */
type Scene = {
  laptop: Browser;
  phone: Browser;
  kv: ReturnType<typeof createHostileKV>;
  request: (browser: Browser, hooks?: StepHooks, place?: Place) => TestEvent;
  /** Like `request`, but the test decides when the response arrives. */
  requestUnanswered: (browser: Browser, hooks: StepHooks) => ReturnType<Browser['requestUnanswered']>;
  cookies: { laptop: string; phone: string };
};

async function setScene(hostility: Partial<Hostility> = {}): Promise<Scene> {
  vi.setSystemTime(START);
  d1.reset();
  const kv = createHostileKV({ seed: 7, hostility, now: () => Date.now() });
  const optionsOf = (hooks: StepHooks, place: Place) => ({
    kv: kv.place(place, hooks),
    db: d1.connect(hooks, place),
    layout: 'owner' as const,
    passwordHash: quickHash,
    users: plainUsers,
    cookieSecrets: { current: 'a secret of the simulation' },
    method: 'POST' as const,
  });
  const request: Scene['request'] = (browser, hooks = {}, place = 'FRA') =>
    browser.request(optionsOf(hooks, place));
  const requestUnanswered: Scene['requestUnanswered'] = (browser, hooks) =>
    browser.requestUnanswered(optionsOf(hooks, 'FRA'));
  const laptop = new Browser();
  const phone = new Browser();
  await signUp(request(laptop), 'ada', PASSWORD);
  await signIn(request(phone), 'ada', PASSWORD);
  return { laptop, phone, kv, request, requestUnanswered, cookies: cookiesOf({ laptop, phone }) };
}

function cookiesOf({ laptop, phone }: { laptop: Browser; phone: Browser }) {
  return { laptop: laptop.cookie ?? '', phone: phone.cookie ?? '' };
}

/** An hour later: the phone's session is due for renewal, and the laptop's has just been renewed. */
async function setSceneBeforeRenewal(hostility: Partial<Hostility> = {}): Promise<Scene> {
  const scene = await setScene(hostility);
  vi.setSystemTime(START + 61 * MINUTE);
  const { laptop, kv, request } = scene;
  await requireSession(request(laptop));
  if (hostility.cacheMilliseconds) {
    // Each location has read the records and keeps returning them.
    for (const place of ['FRA', 'SIN'] as const) await kv.place(place).get(keyOf(scene.cookies.phone));
  }
  return scene;
}

const idOf = (cookie: string) => parseCookieValue(cookie)?.sessionId ?? '';
const keyOf = (cookie: string) => `session:${idOf(cookie)}`;

/** Lets steps run freely that neither write nor decide, because their order does not matter. */
function ungated(gate: StepHooks, isFree: (step: Step) => boolean): StepHooks {
  return {
    beforeStep: (step) => (isFree(step) ? undefined : gate.beforeStep?.(step)),
    afterStep: (step) => (isFree(step) ? undefined : gate.afterStep?.(step)),
  };
}

/** A request that is confirmed before the interleaving begins. Only its later steps take part. */
async function confirmedRequest(scene: Scene, browser: Browser, isFree: (step: Step) => boolean) {
  let gate: StepHooks = {};
  const event = scene.request(browser, {
    beforeStep: (step) => ungated(gate, isFree).beforeStep?.(step),
    afterStep: (step) => ungated(gate, isFree).afterStep?.(step),
  });
  const session = await requireSession(event);
  const enter = (hooks: StepHooks) => {
    gate = hooks;
  };
  return { event, session, enter };
}

/** The list of the other sessions, which only serves to delete records. */
const isListing = ({ store, op }: Step) => (store === 'KV' ? op === 'list' : op.startsWith('SELECT id'));

/** What remains to be done after the records of a deleted account are gone. A renewal touches none of it. */
const isMarker = ({ op, key }: Step) => op === 'DELETE FROM Leftover' || key.startsWith('user_sessions:');

/** The proof of a password: the key, and the count of attempts. A renewal neither reads nor writes them. */
const isProof = ({ op }: Step) => op === 'SELECT * FROM' || op.includes('SignInThrottle');

const isTidying = (step: Step) =>
  isListing(step) || isMarker(step) || (step.store === 'KV' && step.op === 'delete');

/** Returns whether this cookie is accepted at either location, by a page that confirms and by a page view. */
async function isAccepted({ request }: Scene, cookie: string): Promise<boolean> {
  const answers: boolean[] = [];
  for (const place of ['FRA', 'SIN'] as const) {
    answers.push((await confirmSession(request(new Browser().plant(cookie), {}, place))) !== null);
  }
  expect(new Set(answers).size, 'both places agree').toBe(1);
  return answers[0] === true;
}

async function listedIds({ request }: Scene, browser: Browser): Promise<string[]> {
  const event = request(browser);
  return (await listSessions(event, await requireSession(event))).sessions.map(({ id }) => id);
}

/** Expects no session and no ledger row of a user without an account. */
function expectNoTrace(scene: Scene): void {
  expect(scene.kv.truth()).toEqual([]);
  for (const table of ['User', 'Key', 'RevokedSession', 'SecurityEvent', 'Leftover']) {
    expect(d1.rows(`SELECT * FROM ${table}`), table).toEqual([]);
  }
}

/** Expects it dead at once, and also whenever a stale copy or a page view might show it again. */
async function expectDead(scene: Scene, cookie: string): Promise<void> {
  expect(await isAccepted(scene, cookie)).toBe(false);
  const now = Date.now();
  for (const later of [2 * MINUTE, 62 * MINUTE]) {
    vi.setSystemTime(now + later);
    expect(await isAccepted(scene, cookie)).toBe(false);
  }
  expect(await peekSession(scene.request(new Browser().plant(cookie)))).toBeNull();
  vi.setSystemTime(now);
}

type Run = { scene: Scene; processes: Record<string, Process> };

/** `npm run test:deep` runs every order individually, and so checks that those that `npm test` leaves out make no difference. */
const DEEP = process.env.DEEP === '1';

/**
 * Runs all orders, checks each, and logs their number. Fewer than `atLeast` means that the test no longer tests anything. Orders that
 * differ only in commuting steps count as one, except where the order of the responses matters: `apart`.
 */
async function inEveryInterleaving(
  name: string,
  atLeast: number,
  makeRun: () => Promise<Run>,
  check: (interleaving: Interleaving<Run>) => Promise<void>,
  { apart = false } = {},
): Promise<void> {
  let count = 0;
  for await (const interleaving of everyInterleaving(makeRun, apart || DEEP ? undefined : commute)) {
    count += 1;
    try {
      await check(interleaving);
    } catch (error) {
      throw new Error(`${name}, interleaving ${count}:\n${interleaving.schedule}`, { cause: error });
    }
  }
  report(`${name}: ${count.toLocaleString('en')} interleavings`);
  expect(count).toBeGreaterThanOrEqual(atLeast);
}

/** Expects that every process ended without a store failure. A redirect to the sign-in page is a valid response. */
function expectAnswers({ outcomes }: Interleaving<Run>, mayBeRefused: string[] = []): void {
  for (const [name, outcome] of Object.entries(outcomes)) {
    if (outcome.status === 'rejected' && mayBeRefused.includes(name)) {
      expect(outcome.reason).toMatchObject({ name: 'SessionEnded' });
    } else {
      expect(outcome).toMatchObject({ status: 'fulfilled' });
    }
  }
}

const valueOf = ({ outcomes }: Interleaving<Run>, name: string): unknown =>
  outcomes[name]?.status === 'fulfilled' ? outcomes[name].value : undefined;

/** Returns whether the first line with one beginning comes before the first line with the other. */
function isBefore(schedule: string, first: string, second: string): boolean {
  const lines = schedule.split('\n');
  const at = (start: string) => lines.findIndex((line) => line.startsWith(start));
  expect(at(first), first).toBeGreaterThanOrEqual(0);
  expect(at(second), second).toBeGreaterThanOrEqual(0);
  return at(first) < at(second);
}

const STALE = { cacheMilliseconds: 90_000, ownWriteMissRate: 1 };

it.each([
  { kv: 'a KV that is never late', hostility: {}, visit: confirmSession },
  { kv: 'stale caches', hostility: STALE, visit: confirmSession },
  { kv: 'stale caches, renewed by a page view', hostility: STALE, visit: peekSession },
])(
  'revoke ∥ renew, $kv: the session is dead once both are done',
  { timeout: TIMEOUT_MILLISECONDS },
  async ({ kv, hostility, visit }) => {
    const makeRun = async () => {
      const scene = await setSceneBeforeRenewal(hostility);
      const { laptop, phone, request, cookies } = scene;
      const processes = {
        revoke: async (gate: StepHooks) => {
          const event = request(laptop, gate, 'SIN');
          return revokeSession(event, await requireSession(event), idOf(cookies.phone));
        },
        renew: (gate: StepHooks) => visit(request(phone, gate)),
      };
      return { scene, processes };
    };
    await inEveryInterleaving(`revoke ∥ renew (${kv})`, 60, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving);
      await expectDead(scene, scene.cookies.phone);
      expect(await listedIds(scene, scene.laptop)).toEqual([idOf(scene.cookies.laptop)]);
      // No write came after the last delete, so the record is not back.
      expect(scene.kv.truth().map(({ key }) => key)).toEqual([keyOf(scene.cookies.laptop)]);
      const [ended] = d1.rows('SELECT * FROM RevokedSession');
      expect(Number(ended?.expires_at) - Number(ended?.revoked_at)).toBe(ABSOLUTE_PERIOD_MILLISECONDS);
    });
  },
);

/** Each step takes a second, so that question and answer have different times. */
function ticking(gate: StepHooks): StepHooks {
  return {
    beforeStep: gate.beforeStep,
    afterStep: async (step) => {
      vi.setSystemTime(Date.now() + 1_000);
      await gate.afterStep?.(step);
    },
  };
}

it.each([
  { is: 'a page view', visit: peekSession, hostility: {} },
  { is: 'a page view, stale caches', visit: peekSession, hostility: STALE },
  { is: 'an account page, stale caches', visit: confirmSession, hostility: STALE },
])(
  'no page greets the session 60 seconds after the revoke has answered: revoke ∥ $is',
  { timeout: TIMEOUT_MILLISECONDS },
  async ({ is, visit, hostility }) => {
    const makeRun = async () => {
      const scene = await setScene(hostility);
      const { laptop, phone, request, requestUnanswered, cookies } = scene;
      if (hostility === STALE) await scene.kv.place('FRA').get(keyOf(cookies.phone));
      const processes = {
        revoke: async (gate: StepHooks) => {
          const event = request(laptop, ticking(gate));
          await revokeSession(event, await requireSession(event), idOf(cookies.phone));
          return Date.now();
        },
        view: async (gate: StepHooks) => {
          const page = requestUnanswered(phone, ticking(gate));
          await visit(page.event);
          return page;
        },
      };
      return { scene, processes };
    };
    let greetedMeanwhile = 0;
    await inEveryInterleaving(
      `revoke ∥ ${is}`,
      120,
      makeRun,
      async (interleaving) => {
        const { scene } = interleaving.run;
        expectAnswers(interleaving);
        const endedAt = Number(valueOf(interleaving, 'revoke'));
        (valueOf(interleaving, 'view') as ReturnType<Browser['requestUnanswered']>).receive();
        const late = scene.phone.confirmation;
        // A browser that keeps the confirmation forever, together with the session cookie.
        const thief = () => {
          const browser = new Browser().plant(scene.cookies.phone);
          return late ? browser.plant(late, CONFIRMATION_COOKIE) : browser;
        };
        vi.setSystemTime(endedAt + CONFIRMATION_SECONDS * 1_000 - 12_000);
        if (await peekSession(scene.request(thief()))) greetedMeanwhile += 1;
        expect(await confirmSession(scene.request(thief()))).toBeNull();
        vi.setSystemTime(endedAt + CONFIRMATION_SECONDS * 1_000);
        expect(await peekSession(scene.request(thief()))).toBeNull();
      },
      { apart: true },
    );
    // The bound is needed: a confirmation from before the end greets until then.
    expect(greetedMeanwhile).toBeGreaterThan(0);
  },
);

it('somebody who visits public pages alone, once a day, is still signed in after 89 days', async () => {
  const scene = await setScene(STALE);
  const DAY = 24 * 60 * MINUTE;
  for (let day = 1; day <= 89; day += 1) {
    vi.setSystemTime(START + day * DAY);
    expect(await peekSession(scene.request(scene.phone)), `day ${day}`).toEqual({ username: 'ada' });
  }
  expect(await confirmSession(scene.request(scene.phone))).not.toBeNull();
  vi.setSystemTime(START + ABSOLUTE_PERIOD_MILLISECONDS);
  expect(await peekSession(scene.request(scene.phone))).toBeNull();
});

it(
  'revoke ∥ renew, and no delete reaches KV: the session is dead all the same',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setSceneBeforeRenewal();
      const { laptop, phone, request, cookies, kv } = scene;
      const processes = {
        revoke: async (gate: StepHooks) => {
          const event = request(laptop, gate);
          return revokeSession(event, await requireSession(event), idOf(cookies.phone));
        },
        renew: (gate: StepHooks) => confirmSession(request(phone, gate)),
      };
      for (let deletes = 0; deletes < 2; deletes += 1) kv.failNext('delete', 'before');
      return { scene, processes };
    };
    await inEveryInterleaving('revoke ∥ renew (deletes fail)', 60, makeRun, async ({ run: { scene } }) => {
      await expectDead(scene, scene.cookies.phone);
      expect(await listedIds(scene, scene.laptop)).toEqual([idOf(scene.cookies.laptop)]);
    });
  },
);

it(
  'sign-out ∥ renew: the session is dead once both are done',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setSceneBeforeRenewal();
      const { phone, request, cookies } = scene;
      const processes = {
        signOut: (gate: StepHooks) => signOut(request(phone, gate)),
        // Sent with the cookie from before, as if the response to the sign-out had not arrived yet.
        renew: (gate: StepHooks) => confirmSession(request(new Browser().plant(cookies.phone), gate)),
      };
      return { scene, processes };
    };
    await inEveryInterleaving('sign-out ∥ renew', 10, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving);
      await expectDead(scene, scene.cookies.phone);
      expect(scene.kv.truth().map(({ key }) => key)).toEqual([keyOf(scene.cookies.laptop)]);
    });
  },
);

it(
  'renew ∥ rotation in one browser: whichever answer arrives last, it stays signed in',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setSceneBeforeRenewal();
      const { phone, requestUnanswered } = scene;
      const processes = {
        rotate: async (gate: StepHooks) => {
          const rotation = requestUnanswered(phone, ungated(gate, isProof));
          await stepUp(rotation.event, await requireSession(rotation.event), PASSWORD);
          return rotation;
        },
        renew: async (gate: StepHooks) => {
          const page = requestUnanswered(phone, gate);
          await confirmSession(page.event);
          return page;
        },
      };
      return { scene, processes };
    };
    await inEveryInterleaving('renew ∥ rotation', 45, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving);
      type Answer = ReturnType<Browser['requestUnanswered']>;
      const [rotation, page] = [valueOf(interleaving, 'rotate'), valueOf(interleaving, 'renew')] as Answer[];
      for (const answers of [
        [rotation, page],
        [page, rotation],
      ]) {
        scene.phone.plant(scene.cookies.phone);
        for (const answer of answers) answer?.receive();
        expect(scene.phone.cookie).toBe(rotation?.received());
        expect(await isAccepted(scene, scene.phone.cookie ?? '')).toBe(true);
      }
      await expectDead(scene, scene.cookies.phone);
    });
  },
);

it(
  'sign-out ∥ rotation in one browser: nothing of it is alive once both are done',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setScene();
      const { phone, request, requestUnanswered } = scene;
      const processes = {
        rotate: async (gate: StepHooks) => {
          const rotation = requestUnanswered(phone, ungated(gate, isTidying));
          await revokeOtherSessions(rotation.event, await requireSession(rotation.event));
          return rotation;
        },
        signOut: (gate: StepHooks) =>
          signOut(request(new Browser().plant(scene.cookies.phone), ungated(gate, isTidying))),
      };
      return { scene, processes };
    };
    await inEveryInterleaving('sign-out ∥ rotation', 8, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving, ['rotate']);
      const rotation = valueOf(interleaving, 'rotate') as
        ReturnType<Browser['requestUnanswered']> | undefined;
      const successor = rotation?.received();
      if (successor) await expectDead(scene, successor);
      await expectDead(scene, scene.cookies.phone);
    });
  },
);

it(
  'rename ∥ end of the session that asks for it: the name is there only if that session stood after it was written',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setScene();
      const { laptop, phone, request, cookies } = scene;
      const processes = {
        rename: async (gate: StepHooks) => {
          const event = request(phone, gate);
          return renameSession(event, await requireSessionAsItIs(event), idOf(cookies.laptop), 'a name');
        },
        revoke: async (gate: StepHooks) => {
          const event = request(laptop, ungated(gate, isTidying));
          return revokeSession(event, await requireSession(event), idOf(cookies.phone));
        },
      };
      return { scene, processes };
    };
    let refused = 0;
    await inEveryInterleaving('rename ∥ end of its actor', 30, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving, ['rename']);
      const record = scene.kv.truth().find(({ key }) => key === keyOf(scene.cookies.laptop));
      const { name } = JSON.parse(record?.value ?? '{}') as { name?: string };
      const steps = interleaving.schedule.split('\n');
      const asked = steps.findLastIndex((step) => step.startsWith('rename: D1 SELECT'));
      const ended = steps.findIndex((step) => step.startsWith('revoke: D1 INSERT'));
      const isRenamed = valueOf(interleaving, 'rename') === 'renamed';
      if (isRenamed) expect(asked, 'the last question came before the end').toBeLessThan(ended);
      if (isRenamed) return expect(name).toBe('a name');
      refused += 1;
      expect(name).toBeUndefined();
    });
    expect(refused).toBeGreaterThan(0);
  },
);

it(
  'revoke all ∥ sign-in: a sign-in that the ledger let in before is dead, one after lives',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setScene();
      const { laptop, request } = scene;
      const tablet = new Browser();
      const processes = {
        revokeAll: async (gate: StepHooks) => {
          const event = request(laptop, ungated(gate, isTidying));
          return revokeAllSessions(event, await requireSession(event));
        },
        signIn: async (gate: StepHooks) => {
          await signIn(request(tablet, gate), 'ada', PASSWORD);
          return tablet;
        },
      };
      return { scene, processes };
    };
    let survivors = 0;
    await inEveryInterleaving('revoke all ∥ sign-in', 12, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving);
      for (const cookie of [scene.cookies.laptop, scene.cookies.phone]) await expectDead(scene, cookie);
      const tablet = valueOf(interleaving, 'signIn');
      if (!(tablet instanceof Browser)) throw new Error('the sign-in was not answered');
      const cookie = tablet.cookie ?? '';
      const letInBefore = isBefore(
        interleaving.schedule,
        'signIn: D1 SELECT User.id',
        'revokeAll: D1 INSERT INTO SecurityEvent; UPDATE User SET',
      );
      if (letInBefore) return expectDead(scene, cookie);
      survivors += 1;
      expect(await isAccepted(scene, cookie)).toBe(true);
      expect(await listedIds(scene, tablet)).toEqual([idOf(cookie)]);
    });
    expect(survivors).toBeGreaterThan(0);
  },
);

it(
  'change password ∥ sign-in with the old password: that sign-in does not survive',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setScene();
      const { laptop, request } = scene;
      const tablet = new Browser();
      const { event, session, enter } = await confirmedRequest(scene, laptop, isTidying);
      const processes = {
        change: async (gate: StepHooks) => {
          enter(gate);
          return changePassword(event, session, PASSWORD, 'a new password');
        },
        signIn: async (gate: StepHooks) => ({
          tablet,
          answer: await signIn(request(tablet, gate), 'ada', PASSWORD),
        }),
      };
      return { scene, processes };
    };
    const answers = new Set<unknown>();
    await inEveryInterleaving('change password ∥ sign-in', 90, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving);
      const { tablet, answer } = valueOf(interleaving, 'signIn') as { tablet: Browser; answer: unknown };
      answers.add(answer);
      expect(tablet.cookie !== undefined).toBe(answer === 'signed-in');
      if (tablet.cookie) await expectDead(scene, tablet.cookie);
      for (const cookie of [scene.cookies.laptop, scene.cookies.phone]) await expectDead(scene, cookie);
      expect(await isAccepted(scene, scene.laptop.cookie ?? '')).toBe(true);
      expect(await listedIds(scene, scene.laptop)).toEqual([idOf(scene.laptop.cookie ?? '')]);
    });
    expect(answers).toEqual(new Set(['signed-in', 'refused']));
  },
);

it.each([
  { when: 'deletes reach KV', deletesFail: false },
  // What the loser stored for its session's successor remains.
  { when: 'deletes fail', deletesFail: true },
])(
  'revoke others ∥ revoke others, $when: one of the two goes on, alone',
  { timeout: TIMEOUT_MILLISECONDS },
  async ({ when, deletesFail }) => {
    const makeRun = async () => {
      const scene = await setScene();
      for (let deletes = 0; deletesFail && deletes < 6; deletes += 1) scene.kv.failNext('delete', 'before');
      const { laptop, phone, request } = scene;
      const revokeOthers = (browser: Browser) => async (gate: StepHooks) => {
        const event = request(browser, ungated(gate, isTidying));
        return revokeOtherSessions(event, await requireSession(event));
      };
      return { scene, processes: { laptop: revokeOthers(laptop), phone: revokeOthers(phone) } };
    };
    await inEveryInterleaving(
      `revoke others ∥ revoke others (${when})`,
      35,
      makeRun,
      async (interleaving) => {
        const {
          scene,
          scene: { laptop, phone },
        } = interleaving.run;
        expectAnswers(interleaving, ['laptop', 'phone']);
        for (const cookie of [scene.cookies.laptop, scene.cookies.phone]) await expectDead(scene, cookie);
        const after = cookiesOf({ laptop, phone });
        const winners = Object.entries(interleaving.outcomes).filter(
          ([, { status }]) => status === 'fulfilled',
        );
        expect(winners).toHaveLength(1);
        const [winner, loser] = winners[0]?.[0] === 'laptop' ? [laptop, phone] : [phone, laptop];
        expect(await isAccepted(scene, winner.cookie ?? '')).toBe(true);
        expect(await listedIds(scene, winner)).toEqual([idOf(winner.cookie ?? '')]);
        const loserCookie = loser === laptop ? after.laptop : after.phone;
        if (loserCookie) await expectDead(scene, loserCookie);
      },
    );
  },
);

it('delete account ∥ sign-in: nobody is signed in to it', { timeout: TIMEOUT_MILLISECONDS }, async () => {
  const makeRun = async () => {
    const scene = await setScene();
    const { laptop, request } = scene;
    const tablet = new Browser();
    const { event, session, enter } = await confirmedRequest(scene, laptop, isTidying);
    const processes = {
      delete: (gate: StepHooks) => {
        enter(gate);
        return deleteAccount(event, session, PASSWORD);
      },
      signIn: async (gate: StepHooks) => ({
        tablet,
        answer: await signIn(request(tablet, gate), 'ada', PASSWORD),
      }),
    };
    return { scene, processes };
  };
  await inEveryInterleaving('delete account ∥ sign-in', 45, makeRun, async (interleaving) => {
    const { scene } = interleaving.run;
    expectAnswers(interleaving);
    expect(valueOf(interleaving, 'delete')).toBe('deleted');
    const { tablet } = valueOf(interleaving, 'signIn') as { tablet: Browser };
    for (const cookie of [scene.cookies.laptop, scene.cookies.phone, tablet.cookie]) {
      if (cookie) await expectDead(scene, cookie);
    }
    for (const table of ['User', 'Key', 'RevokedSession', 'SecurityEvent']) {
      expect(d1.rows(`SELECT * FROM ${table}`), table).toEqual([]);
    }
  });
});

it(
  'delete account ∥ renew: nobody is signed in to it, and nothing is left of it',
  { timeout: TIMEOUT_MILLISECONDS },
  async () => {
    const makeRun = async () => {
      const scene = await setSceneBeforeRenewal();
      const { laptop, phone, request } = scene;
      const { event, session, enter } = await confirmedRequest(
        scene,
        laptop,
        (step) => isListing(step) || isMarker(step) || isProof(step),
      );
      const processes = {
        delete: (gate: StepHooks) => {
          enter(gate);
          return deleteAccount(event, session, PASSWORD);
        },
        renew: (gate: StepHooks) => confirmSession(request(phone, gate)),
      };
      return { scene, processes };
    };
    await inEveryInterleaving('delete account ∥ renew', 20, makeRun, async (interleaving) => {
      const { scene } = interleaving.run;
      expectAnswers(interleaving);
      for (const cookie of [scene.cookies.laptop, scene.cookies.phone]) await expectDead(scene, cookie);
      expectNoTrace(scene);
    });
  },
);
