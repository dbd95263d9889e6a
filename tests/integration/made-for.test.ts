/** One browser with several users: a page is open for one user, another signs in in another tab, and then the first page's form is sent. */
import { env } from 'cloudflare:workers';
import { isActionFailure, isHttpError, isRedirect } from '@sveltejs/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { parseCookieValue } from '$lib/server/sessions/token';
import { actions as accountActions } from '../../src/routes/(account)/account/+page.server';
import { actions as sessionActions } from '../../src/routes/(account)/sessions/+page.server';
import { load as loadLayout } from '../../src/routes/+layout.server';
import { actions as signOutActions } from '../../src/routes/logout/+page.server';
import { confirmSession, requireSession, revokeSession } from '../setup/requests';
import type { Browser } from '../setup/browser';
import type { Step, StepHooks } from '../simulation/steps';
import { PASSWORD, sessionIdOf, setScene, storesWith, type Scene } from './routes';

const ORIGIN = 'https://sessions.example';

let first: Scene;
let second: Scene;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  [first, second] = [await setScene(), await setScene()];
});

const userIdOf = (browser: Browser) => parseCookieValue(browser.cookie)?.userId ?? '';

function eventOf(browser: Browser, form: Record<string, string>, stores = storesWith({})) {
  return {
    ...browser.request({ ...stores, method: 'POST' }),
    request: new Request(`${ORIGIN}/sessions`, {
      method: 'POST',
      headers: { origin: ORIGIN },
      body: new URLSearchParams(form),
    }),
    route: { id: '/(account)/sessions' },
    setHeaders: () => undefined,
    // A route's event type contains its route id. Everything that the routes read is here.
  } as never;
}

const outcomeOf = (work: unknown) => Promise.resolve(work).catch((thrown: unknown) => thrown);

/** Every action of an account, with fields that would make it succeed. */
const ACTIONS: [name: string, run: (event: never) => unknown, fields: () => Record<string, string>][] = [
  ...Object.entries(sessionActions).map(([name, run]): (typeof ACTIONS)[number] => [
    name,
    run,
    () => ({ sessionId: sessionIdOf(second.phone), name: 'Mine', password: PASSWORD }),
  ]),
  ...Object.entries(accountActions).map(([name, run]): (typeof ACTIONS)[number] => [
    name,
    run,
    () => ({ password: PASSWORD, currentPassword: PASSWORD, newPassword: 'another good password' }),
  ]),
  ['signOut', signOutActions.default, () => ({})],
];

/** Returns everything about the second user in both stores. */
async function stateOfSecond(): Promise<unknown> {
  const userId = userIdOf(second.laptop);
  const { keys } = await env.SESSIONS.list({ prefix: `session:${userId}.` });
  const tables = await env.DB.batch(
    [
      'SELECT * FROM User WHERE id = ?',
      'SELECT * FROM SecurityEvent WHERE user_id = ?',
      'SELECT * FROM RevokedSession WHERE user_id = ?',
    ].map((query) => env.DB.prepare(query).bind(userId)),
  );
  return { keys, tables: tables.map(({ results }) => results), cookie: second.laptop.cookie };
}

/** Sample devices exist on localhost only. */
const EVERYWHERE = ACTIONS.filter(([name]) => !name.endsWith('Samples'));

describe('a page open for A, another tab signs in as B, then A’s form is sent', () => {
  it.each(ACTIONS)(
    '%s is refused with a 409 that says who is signed in, and does nothing',
    async (_, run, fields) => {
      const before = await stateOfSecond();
      const outcome = await outcomeOf(
        run(eventOf(second.laptop, { ...fields(), userId: userIdOf(first.laptop) })),
      );
      await second.laptop.settle();
      const words = expect.stringContaining(`You are signed in as ${second.username}.`) as string;
      const said = isHttpError(outcome) ? { body: { message: words } } : { data: { otherUser: words } };
      expect(outcome).toMatchObject({ status: 409, ...said });
      expect(await stateOfSecond()).toEqual(before);
      expect(await confirmSession(second.laptop.request(storesWith({})))).not.toBeNull();
    },
  );

  it.each(EVERYWHERE)('%s works for the user it was made for, and without a user', async (_, run, fields) => {
    const answered = async (more: Record<string, string>) => {
      const outcome = await outcomeOf(run(eventOf(second.laptop, { ...fields(), ...more })));
      return isActionFailure(outcome) || isHttpError(outcome) ? outcome.status : 200;
    };
    expect(await answered({ userId: userIdOf(second.laptop) })).toBe(200);
    [first, second] = [second, first];
    expect(await answered({})).toBe(200);
  });

  it('an ended session learns nothing from the response: it leads to the sign-in page', async () => {
    const asking = second.phone.request(storesWith({}));
    await revokeSession(asking, await requireSession(asking), sessionIdOf(second.laptop));
    const outcome = await outcomeOf(
      sessionActions.revokeAll(eventOf(second.laptop, { userId: userIdOf(first.laptop) })),
    );
    expect(isRedirect(outcome) && outcome.location).toBe('/login?redirectTo=%2Fsessions');
  });

  it('checking for whom a form was made costs nothing more', async () => {
    const steps: Step[] = [];
    const hooks: StepHooks = { beforeStep: (step) => void steps.push(step) };
    await outcomeOf(
      signOutActions.default(eventOf(second.laptop, { userId: userIdOf(second.laptop) }, storesWith(hooks))),
    );
    const withField = steps.length;
    steps.length = 0;
    await outcomeOf(signOutActions.default(eventOf(first.laptop, {}, storesWith(hooks))));
    expect(withField).toBe(steps.length);
  });

  it('a page says for whom its forms are made, according to the request’s cookie', async () => {
    const answer = await loadLayout(eventOf(second.laptop, {}));
    expect(answer).toMatchObject({ userId: userIdOf(second.laptop) });
  });
});
