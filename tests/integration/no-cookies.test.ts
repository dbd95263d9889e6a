/** The browser keeps no cookies. A right password would lead nowhere, so nothing is created and the page says why. */
import { env } from 'cloudflare:workers';
import { isActionFailure, isRedirect } from '@sveltejs/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { actions as signInActions, load as loadSignIn } from '../../src/routes/(guest)/login/+page.server';
import { actions as signUpActions, load as loadSignUp } from '../../src/routes/(guest)/signup/+page.server';
import { signUp } from '../setup/requests';
import { Browser } from '../setup/browser';
import { PASSWORD, storesWith } from './routes';

const ORIGIN = 'https://sessions.example';
const BROWSERS = { origin: ORIGIN, 'sec-fetch-site': 'same-origin' };

type SetCookie = { name: string; options: Record<string, unknown> };

let username: string;
let set: SetCookie[];

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  await signUp(new Browser().request(storesWith({})), username, PASSWORD);
  set = [];
});

function eventOf(path: string, headers: Record<string, string>, fields?: Record<string, string>) {
  const event = new Browser().request({ ...storesWith({}), path, method: fields ? 'POST' : 'GET' });
  return {
    ...event,
    request: new Request(new URL(path, ORIGIN), {
      method: fields ? 'POST' : 'GET',
      headers,
      body: fields && new URLSearchParams(fields),
    }),
    cookies: {
      ...event.cookies,
      set: (name: string, _: string, options: object) => void set.push({ name, options: { ...options } }),
    },
    route: { id: '/(guest)/login' },
    setHeaders: () => undefined,
    // A route's event type contains its route id. Everything that the routes read is here.
  } as never;
}

const outcomeOf = (work: unknown) => Promise.resolve(work).catch((thrown: unknown) => thrown);

async function rows(): Promise<unknown> {
  const tables = ['User', 'Key', 'SecurityEvent', 'SignInThrottle', 'RevokedSession'];
  const counts = await env.DB.batch(
    tables.map((table) => env.DB.prepare(`SELECT count(*) AS rows FROM ${table}`)),
  );
  const { keys } = await env.SESSIONS.list();
  return [...counts.map(({ results }) => results[0]), keys.length];
}

const FORMS: [name: string, run: (event: never) => unknown, fields: () => Record<string, string>][] = [
  ['sign-in', signInActions.default, () => ({ username, password: PASSWORD })],
  ['sign-in with a wrong password', signInActions.default, () => ({ username, password: 'a wrong guess' })],
  ['sign-up', signUpActions.default, () => ({ username: `${username}-2`, password: PASSWORD })],
];

describe('the browser keeps no cookies', () => {
  it.each(FORMS)(
    '%s is answered 400 with a word about cookies, and nothing is created',
    async (_, run, fields) => {
      const before = await rows();
      const outcome = await outcomeOf(run(eventOf('/login', BROWSERS, fields())));
      expect(isActionFailure(outcome)).toBe(true);
      expect(outcome).toMatchObject({
        status: 400,
        data: {
          errors: { form: expect.stringContaining('cookie') },
          values: { username: fields().username },
        },
      });
      expect(await rows()).toEqual(before);
      // A page that was open for longer than the cookie lives: the second attempt has the cookie.
      expect(set.map(({ name }) => name)).toEqual(['cookies-kept']);
    },
  );

  it.each([
    ['any cookie at all', { ...BROWSERS, cookie: 'theme=dark' }],
    ['the one that the page left', { ...BROWSERS, cookie: 'cookies-kept=1' }],
    [
      'no cookie, from curl, which says nothing of Sec-Fetch-Site',
      { origin: ORIGIN, 'user-agent': 'curl/8.5.0' },
    ],
  ])('a form with %s works as before', async (_, headers) => {
    const outcome = await outcomeOf(
      signInActions.default(eventOf('/login', headers, { username, password: PASSWORD })),
    );
    expect(isRedirect(outcome) && outcome.status).toBe(303);
  });

  it.each<[string, (event: never) => unknown]>([
    ['/login', loadSignIn],
    ['/signup', loadSignUp],
  ])('%s leaves a cookie of ten minutes that scripts cannot read', async (path, load) => {
    await load(eventOf(path, BROWSERS));
    expect(set).toEqual([
      {
        name: 'cookies-kept',
        options: { path: '/', httpOnly: true, sameSite: 'lax', secure: true, maxAge: 600 },
      },
    ]);
  });
});
