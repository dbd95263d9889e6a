/**
 * The 60 seconds of a confirmation, in every interleaving of an end and a page view: the steps take time, the clock of the view's machine is
 * off, its answer arrives late, and its browser keeps what it brings.
 */
import { expect, it, vi } from 'vitest';
import { ABSOLUTE_PERIOD_MILLISECONDS, CONFIRMATION_SECONDS } from '$lib/server/policy';
import { Browser, CONFIRMATION_COOKIE, type TestEvent } from '../setup/browser';
import {
  expectAnswers,
  idOf,
  inEveryInterleaving,
  isProof,
  isTidying,
  keyOf,
  MINUTE,
  PASSWORD,
  setScene,
  STALE,
  START,
  TIMEOUT_MILLISECONDS,
  ungated,
  useScenes,
  valueOf,
  type Scene,
} from './interleaved-scene';
import type { Hostility } from './hostility';
import type { Step, StepHooks } from './steps';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  peekSession,
  requireSession,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signOut,
  stepUp,
} from '../setup/requests';

useScenes();

/** The time of a clock that is right. Each gated step takes a second, so that question and answer have different times. */
let trueTime = START;

/** The steps of a machine whose clock is `ahead` milliseconds ahead of the right one. */
function ticking(gate: StepHooks, ahead = 0): StepHooks {
  return {
    beforeStep: gate.beforeStep,
    afterStep: async (step) => {
      trueTime += 1_000;
      vi.setSystemTime(trueTime + ahead);
      await gate.afterStep?.(step);
    },
  };
}

/** A step of its own before a request, so that it also begins late. */
async function begin(gate: StepHooks): Promise<void> {
  const step: Step = { store: 'KV', op: 'begin', key: '', place: 'FRA' };
  await gate.beforeStep?.(step);
  await gate.afterStep?.(step);
}

type End = (scene: Scene, gate: StepHooks) => Promise<unknown>;
type Session = Awaited<ReturnType<typeof requireSession>>;

/** An end that the laptop requests. Only the steps that decide take part. */
function fromLaptop(act: (event: TestEvent, session: Session, scene: Scene) => Promise<unknown>): End {
  return async (scene, gate) => {
    const event = scene.request(
      scene.laptop,
      ungated(gate, (step) => isTidying(step) || isProof(step)),
    );
    return act(event, await requireSession(event), scene);
  };
}

/** Everything that ends the phone's session. */
const ENDS: Record<string, End> = {
  revoke: fromLaptop((event, session, { cookies }) => revokeSession(event, session, idOf(cookies.phone))),
  'revoke others': fromLaptop(revokeOtherSessions),
  'revoke all': fromLaptop(revokeAllSessions),
  'change password': fromLaptop((event, session) => changePassword(event, session, PASSWORD, 'a new one')),
  'delete account': fromLaptop((event, session) => deleteAccount(event, session, PASSWORD)),
  // Sent with the same cookie by a request that the view does not wait for.
  'sign-out': ({ request, cookies }, gate) =>
    signOut(request(new Browser().plant(cookies.phone), ungated(gate, isTidying))),
  rotation: async ({ request, cookies }, gate) => {
    const event = request(new Browser().plant(cookies.phone), ungated(gate, isProof));
    await stepUp(event, await requireSession(event), PASSWORD);
  },
};

/** The clocks of two places differ by a second at most. */
const CLOCKS = { right: 0, ahead: 1_000, behind: -1_000 };

type Case = {
  end: string;
  is: string;
  hostility: Partial<Hostility>;
  clock: keyof typeof CLOCKS;
  atLeast: number;
};

const CASES: Case[] = [
  { end: 'revoke', is: 'a page view', hostility: {}, clock: 'right', atLeast: 250 },
  { end: 'revoke', is: 'an account page', hostility: STALE, clock: 'ahead', atLeast: 250 },
  { end: 'revoke', is: 'a page view', hostility: STALE, clock: 'behind', atLeast: 250 },
  ...Object.keys(ENDS).map((end): Case => ({
    end,
    is: 'a page view',
    hostility: STALE,
    clock: 'ahead',
    atLeast: end === 'sign-out' ? 8 : 80,
  })),
];

it.each(CASES)(
  'no page greets the session 60 seconds after the end has answered: $end ∥ $is, its clock $clock',
  { timeout: TIMEOUT_MILLISECONDS },
  async ({ end, is, hostility, clock, atLeast }) => {
    const ahead = CLOCKS[clock];
    const visit = is === 'a page view' ? peekSession : confirmSession;
    const makeRun = async () => {
      const scene = await setScene(hostility);
      const { phone, requestUnanswered, cookies } = scene;
      if (hostility === STALE) await scene.kv.place('FRA').get(keyOf(cookies.phone));
      trueTime = START;
      const processes = {
        end: async (gate: StepHooks) => {
          await ENDS[end]?.(scene, ticking(gate));
          return trueTime;
        },
        view: async (gate: StepHooks) => {
          const hooks = ticking(gate, ahead);
          await begin(hooks);
          const page = requestUnanswered(phone, hooks);
          await visit(page.event);
          return page;
        },
      };
      return { scene, processes };
    };
    let greetedMeanwhile = 0;
    await inEveryInterleaving(
      `${end} ∥ ${is}, its clock ${clock}`,
      atLeast,
      makeRun,
      async (interleaving) => {
        const { scene } = interleaving.run;
        expectAnswers(interleaving);
        const endedAt = Number(valueOf(interleaving, 'end'));
        (valueOf(interleaving, 'view') as ReturnType<Browser['requestUnanswered']>).receive();
        const late = scene.phone.confirmation;
        // A browser that keeps the confirmation forever, together with the session cookie.
        const thief = () => {
          const browser = new Browser().plant(scene.cookies.phone);
          return late ? browser.plant(late, CONFIRMATION_COOKIE) : browser;
        };
        const bound = endedAt + CONFIRMATION_SECONDS * 1_000;
        vi.setSystemTime(bound - 12_000);
        if (await peekSession(scene.request(thief()))) greetedMeanwhile += 1;
        expect(await confirmSession(scene.request(thief()))).toBeNull();
        vi.setSystemTime(bound + Math.max(ahead, 0));
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
