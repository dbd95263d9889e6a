/**
 * Every interleaving, and not a sample, of the storage steps of two requests that compete for a session. The app's own modules run on a KV
 * and a D1 that take one step at a time, in every possible order.
 */
import { expect, it } from 'vitest';
import { ABSOLUTE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { Browser } from '../setup/browser';
import {
  setScene,
  cookiesOf,
  setSceneBeforeRenewal,
  confirmedRequest,
  isAccepted,
  listedIds,
  expectNoTrace,
  expectDead,
  inEveryInterleaving,
  expectAnswers,
  isBefore,
  ungated,
  idOf,
  keyOf,
  isListing,
  isMarker,
  isProof,
  isTidying,
  valueOf,
  STALE,
  TIMEOUT_MILLISECONDS,
  PASSWORD,
  d1,
  useScenes,
} from './interleaved-scene';
import type { StepHooks } from './steps';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  peekSession,
  renameSession,
  requireSession,
  requireSessionAsItIs,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signOut,
  stepUp,
} from '../setup/requests';

useScenes();

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
