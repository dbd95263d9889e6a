/** The same sign-up sent twice at once, without scripts. A browser then shows only the response to the last one. */
import { isActionFailure, isRedirect } from '@sveltejs/kit';
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { actions, load } from '../../src/routes/(guest)/signup/+page.server';
import { Browser } from '../setup/browser';
import { confirmSession } from '../setup/requests';
import { call, PASSWORD, setScene, storesWith, type Answer, type Scene } from './routes';

beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => undefined));

const open = (scene: Scene, browser: Browser) =>
  call({ name: 'the page', method: 'GET', path: '/signup', browser: () => browser, run: load }, scene, {});

const send = (scene: Scene, browser: Browser, username: string, password = PASSWORD) =>
  call(
    {
      name: 'the form',
      path: '/signup',
      browser: () => browser,
      form: () => ({ username, password }),
      run: actions.default,
    },
    scene,
    {},
  );

const newName = () => `twice-${crypto.randomUUID().slice(0, 8)}`;

function refusalOf({ outcome }: Answer): unknown {
  const returned = outcome && typeof outcome === 'object' && 'returned' in outcome ? outcome.returned : null;
  return isActionFailure(returned) ? [returned.status, returned.data] : null;
}

const TAKEN = [
  409,
  { errors: { username: 'That username is taken. Choose another. If this account is yours, sign in.' } },
];

describe('a sign-up that one browser sends twice', () => {
  it.each(['at once', 'one after the other'])(
    'a sign-up that one browser sends twice ends signed in, both times, with one account: %s',
    async (how) => {
      const scene = await setScene();
      const [browser, username] = [new Browser(), newName()];
      await open(scene, browser);
      // The second is sent with the same cookies as the first, because no response has arrived.
      const second = new Browser();
      await open(scene, second);
      const visit = browser.cookieNamed('cookies-kept');
      second.plant(visit ?? '', 'cookies-kept');
      const requests = [browser, second].map((one) => () => send(scene, one, username));
      const answers =
        how === 'at once'
          ? await Promise.all(requests.map((request) => request()))
          : [await requests[0]?.(), await requests[1]?.()];
      for (const answer of answers) {
        if (!answer) throw new Error('no answer');
        expect(isRedirect(answer.outcome), JSON.stringify(refusalOf(answer))).toBe(true);
        const session = await confirmSession(answer.browser.request(storesWith({})));
        expect(session?.user.username).toBe(username);
      }
      const { results } = await env.DB.prepare('SELECT id FROM User WHERE username = ?').bind(username).all();
      expect(results).toHaveLength(1);
    },
  );

  it('a sign-up that is sent again with another password is refused', async () => {
    const scene = await setScene();
    const [browser, username] = [new Browser(), newName()];
    await open(scene, browser);
    await send(scene, browser, username);
    const second = new Browser().plant(browser.cookieNamed('cookies-kept') ?? '', 'cookies-kept');
    expect(refusalOf(await send(scene, second, username, 'another good password'))).toMatchObject(TAKEN);
    expect(second.cookie).toBeUndefined();
  });
});

describe('a sign-up with the name and the password of somebody', () => {
  it.each(['that has its own page open', 'that has no page open'])(
    'a sign-up with another user’s name and password is refused in a browser %s, and signs nobody in',
    async (which) => {
      const scene = await setScene();
      const stranger = new Browser();
      if (which === 'that has its own page open') await open(scene, stranger);
      expect(refusalOf(await send(scene, stranger, scene.username))).toMatchObject(TAKEN);
      expect(stranger.cookie).toBeUndefined();
    },
  );
});
