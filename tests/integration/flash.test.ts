/** The message of the sign-in page depends on what was done in this browser, and on no address. */
import { isRedirect } from '@sveltejs/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { load } from '../../src/routes/(guest)/login/+page.server';
import { Browser } from '../setup/browser';
import { ACTION_SCENARIOS, call, PAGE_SCENARIOS, setScene, type Scenario, type Scene } from './routes';
import { NOTICES } from '$lib/server/http/flash';

beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => undefined));

const signInPage = (browser: Browser, path = '/login'): Scenario => ({
  name: 'the sign-in page',
  method: 'GET',
  path,
  browser: () => browser,
  run: load,
});

async function noticeOf(scene: Scene, browser: Browser, path?: string): Promise<unknown> {
  const { outcome } = await call(signInPage(browser, path), scene, {});
  if (!outcome || typeof outcome !== 'object' || !('returned' in outcome)) throw new Error(String(outcome));
  const { returned } = outcome;
  return returned && typeof returned === 'object' && 'notice' in returned ? returned.notice : undefined;
}

const scenarioOf = (name: string): Scenario => {
  const found = [...ACTION_SCENARIOS, ...PAGE_SCENARIOS].find((one) => one.name === name);
  if (!found) throw new Error(name);
  return found;
};

describe('what the sign-in page says', () => {
  it.each(NOTICES)('the address cannot make the sign-in page show a message: %s', async (notice) => {
    const scene = await setScene();
    for (const query of [
      `notice=${notice}`,
      `redirectTo=/account&notice=${notice}&${notice}`,
      'redirectTo=/account',
    ]) {
      expect(await noticeOf(scene, new Browser(), `/login?${query}`)).toBeNull();
    }
  });

  it.each([
    ['revoking all', 'signed-out-everywhere'],
    ['deleting the account', 'account-deleted'],
    ['signing out', 'signed-out'],
    ['revoking oneself', 'signed-out'],
  ])('the sign-in page says once what was done: %s', async (name, notice) => {
    const scene = await setScene();
    const { outcome } = await call(scenarioOf(name), scene, {});
    expect(isRedirect(outcome) && outcome.location).toBe('/login');
    expect(await noticeOf(scene, scene.laptop)).toBe(notice);
    expect(await noticeOf(scene, scene.laptop)).toBeNull();
  });

  it('the sign-in page says why the visitor was sent there, with an ended session and without one', async () => {
    const scene = await setScene();
    await call(scenarioOf('revoking one'), scene, {});
    const stranger = new Browser();
    for (const [browser, notice] of [
      [scene.phone, 'session-ended'],
      [stranger, 'to-continue'],
    ] as const) {
      const { outcome } = await call(
        { ...scenarioOf('the sessions page'), browser: () => browser },
        scene,
        {},
      );
      expect(isRedirect(outcome)).toBe(true);
      expect(await noticeOf(scene, browser)).toBe(notice);
    }
  });

  it('the sign-in page shows its message even if no store says whether there is a session', async () => {
    const scene = await setScene();
    const { cookie } = scene.laptop;
    await call(scenarioOf('signing out'), scene, {});
    scene.laptop.plant(cookie ?? '');
    const { outcome } = await call(signInPage(scene.laptop), scene, {
      beforeStep: () => {
        throw new Error('injected: the network is gone');
      },
    });
    expect(outcome).toMatchObject({ returned: { notice: 'signed-out' } });
  });
});
