/**
 * Every interleaving of what a browser does for its bound session with what rotates or ends that session. In every order, once a session is
 * bound, a copy of its cookie is useless without proof. No refresh tells a browser that a session has ended if it has not.
 */
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { BINDING_GRACE_MILLISECONDS } from '$lib/server/policy';
import { Browser, type RequestOptions } from '../setup/browser';
import { BOUND_COOKIE, bindWith, Device, sendBind, sendRefresh, type Answer } from '../setup/device';
import {
  changePassword,
  confirmSession,
  requireSession,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signOut,
  signUp,
  stepUp,
} from '../setup/requests';
import { quickHash } from './histories-requests';
import { createHostileKV } from './hostile-kv';
import { everyInterleaving, type Process } from './interleavings';
import { plainUsers } from './plain-users';
import { createSqliteD1, readMigrations } from './sqlite-d1';
import type { Step, StepHooks } from './steps';

const START = Date.UTC(2026, 0, 1);
const PASSWORD = 'correct horse battery';
const TIMEOUT_MILLISECONDS = 240_000;
const d1 = createSqliteD1({ migrations: readMigrations() });
const report = console.info;

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.stubGlobal('console', { ...console, log: () => undefined, warn: () => undefined });
});

beforeEach(() => d1.reset());

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  d1.close();
});

type Scene = {
  laptop: Browser;
  phone: Browser;
  device: Device;
  offer: string;
  sessionId: string;
  options: (hooks?: StepHooks) => RequestOptions;
};

/** Creates a user with a laptop, whose session may be bound, and a phone. */
async function setScene(device: Device): Promise<Scene> {
  vi.setSystemTime(START);
  d1.reset();
  const kv = createHostileKV({ seed: 7, hostility: {}, now: () => Date.now() });
  const options = (hooks: StepHooks = {}): RequestOptions => ({
    kv: kv.place('FRA', hooks),
    db: d1.connect(hooks, 'FRA'),
    layout: 'owner',
    passwordHash: quickHash,
    users: plainUsers,
    cookieSecrets: { current: 'a secret' },
    method: 'POST',
  });
  const [laptop, phone] = [new Browser(), new Browser()];
  const event = laptop.request(options());
  await signUp(event, 'ada', PASSWORD);
  await signIn(phone.request(options()), 'ada', PASSWORD);
  const { sessionId } = await requireSession(laptop.request(options()));
  return { laptop, phone, device, offer: event.locals.auth.deviceKeys?.offer() ?? '', sessionId, options };
}

/** The steps that decide: the ledger's reads about the session, and its writes. Only these need an order. */
const DECIDES = /RevokedSession|DeviceKey|UPDATE User|SELECT username|SELECT public_key/;

function deciding(gate: StepHooks): StepHooks {
  const counts = ({ store, op }: Step) => store === 'D1' && DECIDES.test(op);
  return {
    beforeStep: (step) => (counts(step) ? gate.beforeStep?.(step) : undefined),
    afterStep: (step) => (counts(step) ? gate.afterStep?.(step) : undefined),
  };
}

type Work = (scene: Scene, gate: StepHooks) => Promise<unknown>;

const asLaptop =
  (act: (event: ReturnType<Browser['request']>) => Promise<unknown>): Work =>
  ({ laptop, options }, gate) =>
    act(laptop.request(options(deciding(gate))));

const ROTATIONS: Record<string, Work> = {
  'the password again': asLaptop(async (event) => stepUp(event, await requireSession(event), PASSWORD)),
  'ending the others': asLaptop(async (event) => revokeOtherSessions(event, await requireSession(event))),
  'a new password': asLaptop(async (event) =>
    changePassword(event, await requireSession(event), PASSWORD, 'another good password'),
  ),
};

const ENDS: Record<string, Work> = {
  'a sign-out': asLaptop((event) => signOut(event)),
  'an end from the phone': async ({ phone, options, sessionId }, gate) => {
    const event = phone.request(options(deciding(gate)));
    return revokeSession(event, await requireSession(event), sessionId);
  },
  'a sign-in over it': asLaptop((event) => signIn(event, 'ada', PASSWORD)),
};

/** Returns whether a copy of the session cookie alone is let in. */
async function isCopyIn({ laptop, options }: Scene): Promise<boolean> {
  if (laptop.cookie === undefined) return false;
  const thief = new Browser().plant(laptop.cookie);
  return confirmSession(thief.request(options())).then(
    (session) => session !== null,
    (thrown: Error) => {
      if (thrown.name !== 'DeviceUnproven') throw thrown;
      return false;
    },
  );
}

/** Completes a refresh as the browser does when it needs to. */
async function refreshed({ laptop, device, options }: Scene, bindingId: string): Promise<Answer> {
  const { challenge } = await sendRefresh(laptop, options(), bindingId);
  if (challenge === null) return sendRefresh(laptop, options(), bindingId);
  return sendRefresh(laptop, options(), bindingId, await device.proof(challenge));
}

const orFailed = (work: Promise<unknown>) => work.catch((thrown: unknown) => thrown);

async function play(
  makeProcesses: (scene: Scene) => Promise<Record<string, Process>>,
  check: (scene: Scene, outcome: (name: string) => unknown) => Promise<void>,
): Promise<number> {
  const device = await Device.make();
  let count = 0;
  for await (const { run, outcomes, schedule } of everyInterleaving(async () => {
    const scene = await setScene(device);
    return { scene, processes: await makeProcesses(scene) };
  })) {
    count += 1;
    await Promise.all([run.scene.laptop.settle(), run.scene.phone.settle()]);
    vi.setSystemTime(Date.now() + BINDING_GRACE_MILLISECONDS + 1);
    const outcome = (name: string) => {
      const one = outcomes[name];
      return one?.status === 'fulfilled' ? one.value : one?.reason;
    };
    try {
      await check(run.scene, outcome);
    } catch (thrown) {
      throw new Error(`after\n${schedule}`, { cause: thrown });
    }
  }
  return count;
}

const isAnswer = (value: unknown): value is Answer => value instanceof Object && 'challenge' in value;
const statusOf = (value: unknown) => (isAnswer(value) ? value.status : value);

it.each(Object.entries(ROTATIONS))(
  'registration ∥ %s',
  async (name, rotate) => {
    const count = await play(
      async (scene) => {
        const proof = await scene.device.registration(scene.offer);
        return {
          bind: (gate) => sendBind(scene.laptop, scene.options(gate), proof),
          rotate: (gate) => orFailed(rotate(scene, gate)),
        };
      },
      async (scene, outcome) => {
        const bound = outcome('bind');
        // The browser stays signed in in any order. A session whose registration succeeded is bound, whatever its token.
        expect(scene.laptop.cookie).toBeDefined();
        if (statusOf(bound) !== 200 || !isAnswer(bound)) {
          expect(await isCopyIn(scene)).toBe(true);
          return;
        }
        expect(await isCopyIn(scene)).toBe(false);
        expect((await refreshed(scene, String(bound.body.session_identifier))).status).toBe(200);
        expect(await confirmSession(scene.laptop.request(scene.options()))).not.toBeNull();
      },
    );
    report(`registration ∥ ${name}: ${count} interleavings`);
  },
  TIMEOUT_MILLISECONDS,
);

it.each([...Object.entries(ROTATIONS), ...Object.entries(ENDS)])(
  'refresh ∥ %s',
  async (name, act) => {
    const isEnd = name in ENDS;
    const ids = new WeakMap<Scene, string>();
    const count = await play(
      async (scene) => {
        const id = await bindWith(scene.laptop, scene.options(), scene.device, scene.offer);
        ids.set(scene, id);
        scene.laptop.lose(BOUND_COOKIE);
        return {
          refresh: async (gate) => {
            const options = scene.options(gate);
            const { challenge, body } = await sendRefresh(scene.laptop, options, id);
            if (challenge === null) return { challenge, body, status: 200 };
            return sendRefresh(scene.laptop, options, id, await scene.device.proof(challenge));
          },
          other: (gate) => orFailed(act(scene, gate)),
        };
      },
      async (scene, outcome) => {
        const answer = outcome('refresh');
        if (!isAnswer(answer)) throw new Error('no answer', { cause: answer });
        const id = ids.get(scene) ?? '';
        if (isEnd) {
          expect((await sendRefresh(scene.laptop, scene.options(), id)).body).toMatchObject({
            continue: false,
          });
          return;
        }
        expect(answer.body).not.toMatchObject({ continue: false });
        expect((await refreshed(scene, id)).status).toBe(200);
        expect(await confirmSession(scene.laptop.request(scene.options()))).not.toBeNull();
        expect(await isCopyIn(scene)).toBe(false);
      },
    );
    report(`refresh ∥ ${name}: ${count} interleavings`);
  },
  TIMEOUT_MILLISECONDS,
);

it.each(Object.entries(ENDS))(
  'registration ∥ %s',
  async (name, end) => {
    const count = await play(
      async (scene) => {
        const proof = await scene.device.registration(scene.offer);
        return {
          bind: (gate) => sendBind(scene.laptop, scene.options(gate), proof),
          other: (gate) => orFailed(end(scene, gate)),
        };
      },
      async (scene, outcome) => {
        const bound = outcome('bind');
        if (statusOf(bound) !== 200 || !isAnswer(bound)) return;
        const id = String(bound.body.session_identifier);
        expect((await sendRefresh(scene.laptop, scene.options(), id)).body).toMatchObject({
          continue: false,
        });
      },
    );
    report(`registration ∥ ${name}: ${count} interleavings`);
  },
  TIMEOUT_MILLISECONDS,
);
