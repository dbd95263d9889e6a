import { env } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { createAuth } from '$lib/server/auth';
import { ABSOLUTE_PERIOD_MILLISECONDS } from '$lib/server/policy';
import { requestFacts } from '$lib/server/sessions/request-facts';
import { guardStores } from '$lib/server/stores/guarded';
import type { TestEvent } from '../setup/browser';
import { peekSession, signUp } from '../setup/requests';

type SetCookie = { name: string; value: string; options: Record<string, unknown> };

/** Handles a request at an address and returns the cookies that the response sets. `sent`: those of the request. */
async function cookiesOf(
  address: string,
  work: (event: TestEvent) => Promise<unknown>,
  sent: SetCookie[] = [],
): Promise<SetCookie[]> {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  const set: SetCookie[] = [];
  const url = new URL('/signup', address);
  const base = {
    url,
    request: new Request(url, { method: 'POST', headers: { origin: url.origin } }),
    cookies: {
      get: (wanted: string) => sent.find(({ name }) => name === wanted)?.value,
      set: (name: string, value: string, options: object) => {
        set.push({ name, value, options: { ...options } });
      },
    },
    getClientAddress: () => '127.0.0.1',
  };
  const stores = guardStores(env.SESSIONS, env.DB);
  const facts = requestFacts(base);
  const auth = createAuth({
    stores,
    facts,
    layout: 'owner',
    cookieSecrets: { current: 'a secret of this test' },
  });
  await work({ ...base, locals: { stores, facts, auth } });
  return set;
}

const cookiesOfSignUp = (address: string) =>
  cookiesOf(address, (event) =>
    signUp(event, `ada-${crypto.randomUUID().slice(0, 8)}`, 'correct horse battery'),
  );

describe('the session cookie', () => {
  it.each(['https://sessions.example', 'https://localhost', 'http://sessions.example'])(
    'the session cookie of %s is __Host-session: Secure, HttpOnly, Lax, for the whole host and no other',
    async (address) => {
      const cookie = (await cookiesOfSignUp(address)).find(({ name }) => name.includes('session'));
      expect(cookie?.name).toBe('__Host-session');
      expect(cookie?.options).toMatchObject({ secure: true, httpOnly: true, sameSite: 'lax', path: '/' });
      // `__Host-` forbids a domain.
      expect(cookie?.options.domain).toBeUndefined();
      const expires = cookie?.options.expires;
      // As long as the session can live. A browser with a wrong clock uses Max-Age.
      expect(Number(expires)).toBeGreaterThan(Date.now() + ABSOLUTE_PERIOD_MILLISECONDS - 60_000);
      expect(Number(cookie?.options.maxAge)).toBeGreaterThan(ABSOLUTE_PERIOD_MILLISECONDS / 1_000 - 60);
    },
  );

  it.each(['http://localhost:8788', 'http://127.0.0.1:8788'])(
    'the session cookie of %s has no Secure attribute, and so no prefix',
    async (address) => {
      const cookie = (await cookiesOfSignUp(address)).find(({ name }) => name.includes('session'));
      expect(cookie?.name).toBe('pages-session');
      expect(cookie?.options).toMatchObject({ secure: false, httpOnly: true, sameSite: 'lax', path: '/' });
    },
  );
});

describe('the device cookie', () => {
  it('the device cookie is as restricted as the session cookie, and names nobody', async () => {
    const cookie = (await cookiesOfSignUp('https://sessions.example')).find(({ name }) =>
      name.includes('device'),
    );
    expect(cookie?.name).toBe('__Host-device');
    expect(cookie?.options).toMatchObject({ secure: true, httpOnly: true, sameSite: 'lax', path: '/' });
    expect(cookie?.value).toMatch(/^[\w-]{22}(\.[\w-]{43}){2}$/);
  });
});

describe('the confirmation', () => {
  it.each([
    ['https://sessions.example', '__Host-confirmation', true],
    ['http://localhost:8788', 'confirmation', false],
  ])(
    'the confirmation of %s is %s: as restricted as the session cookie, and gone after 60 seconds',
    async (address, name, secure) => {
      const sent = await cookiesOfSignUp(address);
      const set = await cookiesOf(address, peekSession, sent);
      expect(set).toEqual([
        {
          name,
          value: expect.any(String),
          options: { secure, httpOnly: true, sameSite: 'lax', path: '/', maxAge: 60 },
        },
      ]);
    },
  );
});
