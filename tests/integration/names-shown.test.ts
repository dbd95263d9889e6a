/** Names in records or rows that were stored before names were checked, or by anyone who can write to the stores. Covers every page and the API. */
import { env } from 'cloudflare:workers';
import { isActionFailure } from '@sveltejs/kit';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { UNSEEN } from '$lib/visible-text';
import { actions } from '../../src/routes/(account)/sessions/+page.server';
import {
  API_SCENARIOS,
  call,
  LAYOUT,
  PAGE_SCENARIOS,
  sessionIdOf,
  setScene,
  type Scenario,
  type Scene,
} from './routes';

const HOSTILE = `\u202eab\u0000\u200b\u3164\u{e0041}${'\u0301'.repeat(30)}\ud83d`;

let scene: Scene;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  scene = await setScene();
  const userId = sessionIdOf(scene.laptop).split('.')[0] ?? '';
  const { keys } = await env.SESSIONS.list({ prefix: `session:${userId}.` });
  for (const { name, expiration } of keys) {
    const record = await env.SESSIONS.get<Record<string, unknown>>(name, 'json');
    const hostile = {
      ...record,
      name: HOSTILE,
      device: { browser: HOSTILE, system: 'This device', kind: HOSTILE },
      place: { country: HOSTILE, city: HOSTILE },
    };
    await env.SESSIONS.put(name, JSON.stringify(hostile), { expiration });
  }
  const device = JSON.stringify({ browser: HOSTILE, system: 'New', kind: 'desktop' });
  const place = JSON.stringify({ country: 'DE', city: HOSTILE });
  await env.DB.prepare('UPDATE SecurityEvent SET device = ?, place = ? WHERE user_id = ?')
    .bind(device, place, userId)
    .run();
});

/** Returns every text in a route's result, including its keys. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inside]) => [key, ...textsIn(inside)]);
}

async function textsOf(scenario: Scenario): Promise<string[]> {
  const { outcome } = await call(scenario, scene, {});
  const { returned } = outcome as { returned: unknown };
  return returned instanceof Response ? textsIn(await returned.json()) : textsIn(returned);
}

describe('what is stored already is cleaned when it is shown', () => {
  const SHOWING = [LAYOUT, ...PAGE_SCENARIOS, ...API_SCENARIOS.filter(({ page }) => page)].filter(
    ({ browser }) => !browser,
  );

  it.each(SHOWING)('a stored name is cleaned when it is shown by $name', async (scenario) => {
    const texts = await textsOf(scenario);
    for (const text of texts) {
      expect(JSON.stringify(text.match(UNSEEN))).toBe('null');
      expect(text).not.toMatch(/\u0301{4}/);
    }
    const isTitled = (text: string) => ['This device', 'New'].includes(text);
    expect(texts.filter(isTitled)).toEqual([]);
  });

  it('the readable part of a stored name stays', async () => {
    const sessions = PAGE_SCENARIOS.find(({ page }) => page === '/sessions');
    expect(sessions && (await textsOf(sessions))).toContain('ab\u0301\u0301\u0301');
  });
});

describe('a session is renamed to U+200B, U+202E, U+3164, NUL, or "This device"', () => {
  it.each([
    '\u200b',
    'a\u202eb',
    '\u3164',
    'a\u0000',
    'This device',
    'Νеw',
    `a${'\u0301'.repeat(9)}`,
    'x'.repeat(41),
  ])(
    'renaming a session to %j is refused with a message at its field, and what was typed stays',
    async (name) => {
      const form = () => ({ sessionId: sessionIdOf(scene.phone), name });
      const { outcome } = await call({ name: 'rename', form, run: actions.rename }, scene, {});
      const { returned } = outcome as { returned: unknown };
      expect(isActionFailure(returned)).toBe(true);
      expect(returned).toMatchObject({
        status: 400,
        data: { rename: { sessionId: sessionIdOf(scene.phone), name, error: expect.any(String) as string } },
      });
    },
  );
});
