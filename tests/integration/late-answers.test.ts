/** A session that ends while one of its requests is in progress: the request changes nothing, shows nothing and reveals nothing. */
import { isActionFailure, isRedirect } from '@sveltejs/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ACTIVE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { SessionEnded } from '$lib/server/sessions/confirmed';
import {
  actions as accountActions,
  load as loadAccount,
} from '../../src/routes/(account)/account/+page.server';
import {
  actions as sessionActions,
  load as loadSessions,
} from '../../src/routes/(account)/sessions/+page.server';
import type { Browser } from '../setup/browser';
import { quickHash } from '../simulation/histories-requests';
import type { Step, StepHooks } from '../simulation/steps';
import { PASSWORD, sessionIdOf, setScene, storesWith, type Scene } from './routes';
import { requireSession, revokeOtherSessions, revokeSession } from '../setup/requests';

const ORIGIN = 'https://sessions.example';
const NEW_PASSWORD = 'another good password';

let scene: Scene;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  scene = await setScene();
});

/** Ends the phone's session from the laptop. */
async function endPhone(): Promise<void> {
  const event = scene.laptop.request({ ...storesWith({}), method: 'POST' });
  expect(await revokeSession(event, await requireSession(event), sessionIdOf(scene.phone))).toBe('ended');
}

type PostOptions = { hooks?: StepHooks; validate?: typeof quickHash.validate };

/** Posts a form from a browser. `finish` sends its body. */
function post(browser: Browser, form: Record<string, string>, { hooks = {}, validate }: PostOptions = {}) {
  const sent = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await sent.promise;
      controller.enqueue(new TextEncoder().encode(new URLSearchParams(form).toString()));
      controller.close();
    },
  });
  const stores = { ...storesWith(hooks), passwordHash: { ...quickHash, ...(validate && { validate }) } };
  const request = new Request(`${ORIGIN}/sessions`, {
    method: 'POST',
    headers: { origin: ORIGIN, 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  const event = { ...browser.request({ ...stores, method: 'POST' }), request, setHeaders: () => undefined };
  // A route's event type contains its route id. Everything that the routes read is here.
  return { event: event as never, finish: () => sent.resolve() };
}

const outcomeOf = (work: unknown) => Promise.resolve(work).catch((thrown: unknown) => thrown);

function expectSignIn(outcome: unknown) {
  expect(isRedirect(outcome) && outcome.location).toMatch(/^\/login\?redirectTo=/);
}

describe('a body that comes after the end', () => {
  it.each([
    { action: sessionActions.revoke, form: () => ({ sessionId: sessionIdOf(scene.laptop) }), name: 'revoke' },
    {
      action: sessionActions.rename,
      form: () => ({ sessionId: sessionIdOf(scene.laptop), name: 'taken over' }),
      name: 'rename',
    },
    { action: sessionActions.revoke, form: () => ({ sessionId: 'none' }), name: 'revoke of an unknown one' },
    { action: sessionActions.revokeOthers, form: () => ({ late: '' }), name: 'revokeOthers' },
    {
      action: accountActions.changePassword,
      form: () => ({ currentPassword: '', newPassword: '' }),
      name: 'changePassword without a password',
    },
    { action: sessionActions.revokeAll, form: () => ({ late: '' }), name: 'revokeAll' },
    {
      action: accountActions.changePassword,
      form: () => ({ currentPassword: 'a wrong guess', newPassword: NEW_PASSWORD }),
      name: 'changePassword',
    },
    { action: accountActions.deleteAccount, form: () => ({ password: PASSWORD }), name: 'deleteAccount' },
  ])('the body of $name is refused if it arrives after the session’s end', async ({ action, form }) => {
    const { event, finish } = post(scene.phone, form());
    const answer = outcomeOf(action(event));
    await endPhone();
    finish();
    expectSignIn(await answer);
    await requireSession(scene.laptop.request(storesWith({})));
  });
});

describe('the page behind an action asks again', () => {
  it.each([
    { page: 'the sessions page', load: loadSessions },
    { page: 'the account page', load: loadAccount },
  ])('the page behind an action asks the ledger again: $page', async ({ load }) => {
    const { event, finish } = post(scene.phone, { sessionId: 'none' });
    finish();
    expect(isActionFailure(await sessionActions.revoke(event))).toBe(true);
    await endPhone();
    expectSignIn(await outcomeOf(load(event)));
  });

  it('the page behind an action asks only the ledger: KV is not read again', async () => {
    const steps: Step[] = [];
    const { event, finish } = post(
      scene.phone,
      { sessionId: 'none' },
      { hooks: { beforeStep: (step) => void steps.push(step) } },
    );
    finish();
    await sessionActions.revoke(event);
    steps.length = 0;
    await loadSessions(event);
    expect(steps.map(({ store, op }) => `${store} ${op.split(' ')[0]}`)).toEqual([
      'D1 SELECT',
      'KV list',
      'D1 SELECT',
    ]);
  });
});

describe('a session that ends while its password is compared', () => {
  it.each([
    { guess: 'wrong', right: false },
    { guess: 'right', right: true },
  ])(
    'a session that ends while its password is compared does not learn that its guess was $guess',
    async ({ right }) => {
      const validate = async () => {
        await endPhone();
        return right;
      };
      const form = { currentPassword: 'a guess of it', newPassword: NEW_PASSWORD };
      const { event, finish } = post(scene.phone, form, { validate });
      finish();
      expectSignIn(await outcomeOf(accountActions.changePassword(event)));
    },
  );
});

it('a refused "end all others" answers only when its list is done, so nothing of it runs on', async () => {
  const done: string[] = [];
  const ledgerSaidNo = Promise.withResolvers<void>();
  const hooks: StepHooks = {
    beforeStep: ({ op }) => (op === 'list' ? ledgerSaidNo.promise : undefined),
    afterStep({ op }) {
      done.push(op);
      // Only a batch has more than one statement.
      if (op.includes(';')) ledgerSaidNo.resolve();
    },
  };
  const event = scene.phone.request({ ...storesWith(hooks), method: 'POST' });
  const session = await requireSession(event);
  await endPhone();
  done.length = 0;
  await expect(revokeOtherSessions(event, session)).rejects.toThrow(SessionEnded);
  expect(done).toEqual(expect.arrayContaining(['list', 'SELECT id, reason']));
});

describe('naming this device', () => {
  it('naming this device in the first request after an hour renews it with the same write, because KV accepts one per second', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      vi.advanceTimersByTime(ACTIVE_PERIOD_MILLISECONDS + 1_000);
      const puts: Step[] = [];
      const sessionId = sessionIdOf(scene.laptop);
      const { event, finish } = post(
        scene.laptop,
        { sessionId, name: 'my laptop' },
        { hooks: { beforeStep: (step) => void (step.op === 'put' && puts.push(step)) } },
      );
      finish();
      expect(await sessionActions.rename(event)).toMatchObject({ message: expect.any(String) });
      await loadSessions(event);
      expect(puts).toHaveLength(1);
      const session = await requireSession(scene.laptop.request(storesWith({})));
      expect(session).toMatchObject({ name: 'my laptop', state: 'active', fresh: false });
    } finally {
      vi.useRealTimers();
    }
  });
});
