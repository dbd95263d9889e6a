/** The protocol of Device Bound Session Credentials: a client with its own key, on the real KV and D1. */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  BINDING_GRACE_MILLISECONDS,
  BOUND_COOKIE_MILLISECONDS,
  DEVICE_CHALLENGE_MILLISECONDS,
} from '$lib/server/policy';
import { tryToSteal } from '../../src/routes/(account)/kv/steal';
import { Browser, type RequestOptions } from '../setup/browser';
import { BOUND_COOKIE, bindWith, Device, refreshWith, sendBind, sendRefresh } from '../setup/device';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  listSessions,
  requireSession,
  revokeAllSessions,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signOut,
  signUp,
  stepUp,
} from '../setup/requests';
import { quickHash } from '../simulation/histories-requests';
import { observeD1 } from '../simulation/observed-d1';

const PASSWORD = 'correct horse battery';
const options = {
  kv: env.SESSIONS,
  db: env.DB,
  layout: 'owner' as const,
  passwordHash: quickHash,
  cookieSecrets: { current: 'a secret' },
};
const post = { ...options, method: 'POST' as const };
const refused = { name: 'DeviceUnproven' };

let username: string;
let laptop: Browser;
let device: Device;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  vi.useFakeTimers({ toFake: ['Date'] });
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  laptop = new Browser();
  device = await Device.make();
});

afterEach(() => {
  vi.useRealTimers();
});

const later = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);
const afterGrace = () => later(BINDING_GRACE_MILLISECONDS + 1);

/** Signs up and returns the offer in the response. */
async function signUpOffered(browser = laptop, given: RequestOptions = post) {
  const event = browser.request(given);
  await signUp(event, username, PASSWORD);
  return event.locals.auth.deviceKeys?.offer() ?? null;
}

async function signInOffered(browser: Browser) {
  const event = browser.request(post);
  expect(await signIn(event, username, PASSWORD)).toBe('signed-in');
  return event.locals.auth.deviceKeys?.offer() ?? null;
}

/** Creates a laptop whose session is bound, past the grace period. Returns the binding's id. */
async function bound(): Promise<string> {
  const id = await bindWith(laptop, options, device, await signUpOffered());
  afterGrace();
  return id;
}

const isIn = async (browser = laptop, given: RequestOptions = options) =>
  (await requireSession(browser.request(given))).user.username === username;

describe('the offer', () => {
  it('binding is offered at a sign-up, a sign-in and a rotation whose password was entered in the same request', async () => {
    expect(await signUpOffered()).not.toBeNull();
    expect(await signInOffered(laptop)).not.toBeNull();
    const proving = laptop.request(post);
    await stepUp(proving, await requireSession(proving), PASSWORD);
    expect(proving.locals.auth.deviceKeys?.offer()).not.toBeNull();
    const changing = laptop.request(post);
    await changePassword(changing, await requireSession(changing), PASSWORD, 'another good password');
    expect(changing.locals.auth.deviceKeys?.offer()).not.toBeNull();
  });

  it('binding is offered nowhere else: no page, no rotation without a password, no refused sign-in, no sign-out', async () => {
    await signUpOffered();
    later(1_000);
    const page = laptop.request(options);
    await requireSession(page);
    const others = laptop.request(post);
    await revokeOtherSessions(others, await requireSession(others));
    const wrong = new Browser().request(post);
    await signIn(wrong, username, 'a wrong guess');
    const out = laptop.request(post);
    await signOut(out);
    for (const { locals } of [page, others, wrong, out]) expect(locals.auth.deviceKeys?.offer()).toBeNull();
  });

  it('binding is not offered without the secret, nor where sessions are not bound', async () => {
    expect(await signUpOffered(laptop, { ...post, cookieSecrets: undefined })).toBeNull();
    const event = laptop.request({ ...post, deviceBinding: null });
    await signIn(event, username, PASSWORD);
    expect(event.locals.auth.deviceKeys).toBeNull();
  });
});

describe('a bound session', () => {
  it('a bound session is accepted with its bound cookie, and not from anyone who copied the session cookie alone', async () => {
    await bound();
    expect(await isIn()).toBe(true);
    const thief = new Browser().plant(laptop.cookie ?? '');
    await expect(requireSession(thief.request(options))).rejects.toMatchObject(refused);
    // Nobody is signed out because of it.
    expect(thief.cookie).toBe(laptop.cookie);
  });

  it('"Try to steal it" with the own cookie says that the session is bound, and leaves this browser its proof', async () => {
    await bound();
    const vars = { SESSIONS: env.SESSIONS, DB: env.DB, COOKIE_SECRET: 'a secret' };
    const tried = (more: Partial<Env> = {}) => {
      const event = { ...laptop.request(post), platform: { env: { ...vars, ...more } } };
      // The only parts of the event that are read.
      return tryToSteal(event as never, laptop.cookie ?? '');
    };
    expect(await tried()).toMatchObject([{ outcome: 'bound' }]);
    expect(await isIn()).toBe(true);
    expect(await tried({ DEVICE_BINDING: 'off' })).toMatchObject([{ outcome: 'signed-in' }]);
  });

  it('a bound session is accepted without proof for ten seconds, because the page after the sign-in has none', async () => {
    await bindWith(laptop, options, device, await signUpOffered());
    laptop.lose(BOUND_COOKIE);
    later(BINDING_GRACE_MILLISECONDS - 1);
    expect(await isIn()).toBe(true);
    // A request without proof may come from a copy, so no page greets it later.
    const copy = new Browser().plant(laptop.cookie ?? '');
    expect(await isIn(copy)).toBe(true);
    expect(copy.confirmation).toBeUndefined();
    later(1);
    await expect(requireSession(laptop.request(options))).rejects.toMatchObject(refused);
  });

  it('a bound session is accepted for ten minutes after its proof, and longer after the next one', async () => {
    const id = await bound();
    const copied = new Browser()
      .plant(laptop.cookie ?? '')
      .plant(laptop.cookieNamed(BOUND_COOKIE) ?? '', BOUND_COOKIE);
    expect(await isIn(copied)).toBe(true);
    later(BOUND_COOKIE_MILLISECONDS - BINDING_GRACE_MILLISECONDS - 2);
    expect(await isIn(copied)).toBe(true);
    later(1);
    await expect(requireSession(copied.request(options))).rejects.toMatchObject(refused);
    expect((await refreshWith(laptop, options, device, id)).status).toBe(200);
    expect(await isIn()).toBe(true);
  });

  it('binding adds no query to a confirmation; a refresh and a registration take one query each', async () => {
    const offer = await signUpOffered();
    const observed = observeD1(env.DB);
    const counted = { ...options, db: observed.db };
    const id = await bindWith(laptop, counted, device, offer);
    expect(observed.counters.queries).toBe(1);
    await isIn(laptop, counted);
    expect(observed.counters.queries).toBe(2);
    await refreshWith(laptop, counted, device, id);
    expect(observed.counters.queries).toBe(4);
  });

  it('a bound session is marked in the list', async () => {
    await bound();
    const phone = new Browser();
    await signInOffered(phone);
    const event = phone.request(options);
    const { sessions } = await listSessions(event, await requireSession(event));
    expect(sessions.map(({ current, bound }) => ({ current, bound }))).toEqual([
      { current: true, bound: false },
      { current: false, bound: true },
    ]);
  });

  it('the registration tells the browser which cookie to keep', async () => {
    const offer = await signUpOffered();
    const { status, body } = await sendBind(laptop, options, await device.registration(offer ?? ''));
    expect(status).toBe(200);
    expect(body).toEqual({
      session_identifier: expect.stringMatching(/^[\w-]{22}$/),
      refresh_url: '/session/refresh',
      scope: { origin: 'https://sessions.example', include_site: false, scope_specification: [] },
      credentials: [
        { type: 'cookie', name: BOUND_COOKIE, attributes: 'Path=/; Secure; HttpOnly; SameSite=Lax' },
      ],
    });
  });
});

describe('a registration is refused', () => {
  const HS256 = async (secret: string) => {
    const key = await crypto.subtle.importKey(
      'raw',
      new TextEncoder().encode(secret),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    );
    return (input: Uint8Array<ArrayBuffer>) => crypto.subtle.sign('HMAC', key, input);
  };
  const RS256 = async () => {
    const algorithm = {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
    };
    const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    if (!('privateKey' in keys)) throw new Error('one key for two');
    return { jwk: await crypto.subtle.exportKey('jwk', keys.publicKey), key: keys.privateKey };
  };

  it.each<[string, (offer: string) => Promise<string | null>]>([
    ['without a proof', async () => null],
    ['of no form', async () => 'not.a.jwt'],
    [
      'signed by another key',
      async (offer) => (await Device.make()).registration(offer, { header: { jwk: device.jwk } }),
    ],
    [
      'with no signature',
      (offer) =>
        device.registration(offer, { header: { alg: 'none' }, signature: async () => new ArrayBuffer(0) }),
    ],
    [
      'by RS256',
      async (offer) => {
        const { jwk, key } = await RS256();
        return device.registration(offer, {
          header: { alg: 'RS256', jwk },
          signature: (input) => crypto.subtle.sign('RSASSA-PKCS1-v1_5', key, input),
        });
      },
    ],
    [
      'by HS256 with the public key',
      async (offer) =>
        device.registration(offer, {
          header: { alg: 'HS256' },
          signature: await HS256(JSON.stringify(device.jwk)),
        }),
    ],
    [
      'with a private part in its key',
      (offer) => device.registration(offer, { header: { jwk: device.privateJwk } }),
    ],
    [
      'with a key of another curve',
      async (offer) => (await Device.make('P-384')).registration(offer, { header: { alg: 'ES384' } }),
    ],
    [
      'with a point that is on no curve',
      (offer) => device.registration(offer, { header: { jwk: { ...device.jwk, y: 'A'.repeat(43) } } }),
    ],
    ['of another type', (offer) => device.registration(offer, { header: { typ: 'JWT' } })],
    ['of no type', (offer) => device.registration(offer, { header: { typ: undefined } })],
    ['with a challenge of its own', () => device.registration('1.2.3.a challenge')],
    ['with a challenge that is no text', (offer) => device.registration(offer, { payload: { jti: 7 } })],
    ['in 64 KB', (offer) => device.registration(offer, { payload: { more: 'x'.repeat(65_536) } })],
  ])('a registration is refused: %s', async (_, forge) => {
    const offer = (await signUpOffered()) ?? '';
    const answer = await sendBind(laptop, options, await forge(offer));
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(laptop.cookieNamed(BOUND_COOKIE)).toBeUndefined();
    afterGrace();
    laptop.lose(BOUND_COOKIE);
    expect(await isIn()).toBe(true);
  });

  it('a registration is refused after the minute', async () => {
    const proof = await device.registration((await signUpOffered()) ?? '');
    later(DEVICE_CHALLENGE_MILLISECONDS);
    expect((await sendBind(laptop, options, proof)).status).toBe(403);
  });

  it('a second registration is refused, by the same key and by another', async () => {
    const offer = (await signUpOffered()) ?? '';
    const proof = await device.registration(offer);
    const id = await bindWith(laptop, options, device, offer);
    expect((await sendBind(laptop, options, proof)).status).toBe(403);
    const another = await Device.make();
    expect((await sendBind(laptop, options, await another.registration(offer))).status).toBe(403);
    expect((await refreshWith(laptop, options, device, id)).status).toBe(200);
  });

  it('of two registrations at once, one is accepted', async () => {
    const offer = (await signUpOffered()) ?? '';
    const devices = await Promise.all([Device.make(), Device.make()]);
    const proofs = await Promise.all(devices.map((one) => one.registration(offer)));
    const answers = await Promise.all(proofs.map((proof) => sendBind(laptop, options, proof)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 403]);
  });

  it('a registration is refused without the session cookie, with another session’s cookie, and after the session has ended', async () => {
    const offer = (await signUpOffered()) ?? '';
    const proof = await device.registration(offer);
    expect((await sendBind(new Browser(), options, proof)).status).toBe(403);
    const phone = new Browser();
    await signInOffered(phone);
    expect((await sendBind(phone, options, proof)).status).toBe(403);
    await signOut(new Browser().plant(laptop.cookie ?? '').request(post));
    expect((await sendBind(laptop, options, proof)).status).toBe(403);
  });

  it('a registration is refused with the challenge of a refresh', async () => {
    const id = await bound();
    const { challenge } = await sendRefresh(laptop, options, id);
    const phone = new Browser();
    await signInOffered(phone);
    expect((await sendBind(phone, options, await device.registration(challenge ?? ''))).status).toBe(403);
  });
});

describe('a refresh', () => {
  it('a refresh gets a challenge first, and the cookie in return for a proof', async () => {
    const id = await bound();
    const first = laptop.cookieNamed(BOUND_COOKIE);
    laptop.lose(BOUND_COOKIE);
    const asked = await sendRefresh(laptop, options, id);
    expect(asked.status).toBe(403);
    expect(laptop.cookieNamed(BOUND_COOKIE)).toBeUndefined();
    const { status, body } = await sendRefresh(
      laptop,
      options,
      id,
      await device.proof(asked.challenge ?? ''),
    );
    expect(status).toBe(200);
    expect(body.session_identifier).toBe(id);
    expect(laptop.cookieNamed(BOUND_COOKIE)).not.toBe(first);
    expect(await isIn()).toBe(true);
  });

  it('a proof that is sent again within its minute gains nothing: its cookie ends with its challenge', async () => {
    const id = await bound();
    const { challenge } = await sendRefresh(laptop, options, id);
    const challengedAt = Date.now();
    const proof = await device.proof(challenge ?? '');
    later(DEVICE_CHALLENGE_MILLISECONDS - 1);
    const thief = new Browser().plant(laptop.cookie ?? '');
    expect((await sendRefresh(thief, options, id, proof)).status).toBe(200);
    vi.setSystemTime(challengedAt + BOUND_COOKIE_MILLISECONDS - 1);
    thief.plant(thief.cookieNamed(BOUND_COOKIE) ?? '', BOUND_COOKIE);
    later(1);
    await expect(requireSession(thief.request(options))).rejects.toMatchObject(refused);
  });

  it.each<[string, (id: string, challenge: string) => Promise<string>]>([
    [
      'after its minute',
      async (_, challenge) => (later(DEVICE_CHALLENGE_MILLISECONDS), device.proof(challenge)),
    ],
    ['by another key', async (_, challenge) => (await Device.make()).proof(challenge)],
    [
      'by another key that it brings along',
      async (_, challenge) => (await Device.make()).registration(challenge),
    ],
    [
      'with no signature',
      (_, challenge) =>
        device.proof(challenge, { header: { alg: 'none' }, signature: async () => new ArrayBuffer(0) }),
    ],
    ['with a challenge of its own', () => device.proof(`${Date.now()}.${'A'.repeat(43)}`)],
    ['in 64 KB', (_, challenge) => device.proof(challenge, { payload: { more: 'x'.repeat(65_536) } })],
    [
      'with the challenge of another binding',
      async () => {
        const phone = new Browser();
        const other = await bindWith(phone, options, await Device.make(), await signInOffered(phone));
        return device.proof((await sendRefresh(phone, options, other)).challenge ?? '');
      },
    ],
    [
      'with the challenge of a registration',
      async () => {
        const phone = new Browser();
        return device.proof((await signInOffered(phone)) ?? '');
      },
    ],
  ])('a refresh %s is refused with a new challenge', async (_, forge) => {
    const id = await bound();
    const { challenge } = await sendRefresh(laptop, options, id);
    const proof = await forge(id, challenge ?? '');
    laptop.lose(BOUND_COOKIE);
    const answer = await sendRefresh(laptop, options, id, proof);
    expect(answer.status).toBe(403);
    expect(answer.challenge).not.toBeNull();
    expect(laptop.cookieNamed(BOUND_COOKIE)).toBeUndefined();
  });

  it.each(['', 'another', 'A'.repeat(22), 'x'.repeat(65_536)])(
    'a refresh of an unknown binding ends it: %#',
    async (id) => {
      const { status, body } = await sendRefresh(laptop, options, id);
      expect({ status, body }).toEqual({ status: 200, body: { session_identifier: id, continue: false } });
    },
  );

  it('the bound cookie of another session is useless for this one', async () => {
    await bound();
    const mallory = new Browser();
    const own = await Device.make();
    const id = await bindWith(mallory, options, own, await signInOffered(mallory));
    const thief = new Browser().plant(laptop.cookie ?? '');
    expect((await refreshWith(thief, options, own, id)).status).toBe(200);
    expect(thief.cookieNamed(BOUND_COOKIE)).toBeDefined();
    await expect(requireSession(thief.request(options))).rejects.toMatchObject(refused);
  });

  it('a refresh with D1 down or the secret missing is a server error, and signs nobody out', async () => {
    vi.spyOn(console, 'error').mockReturnValue(undefined);
    const id = await bound();
    const cookies = [laptop.cookie, laptop.cookieNamed(BOUND_COOKIE)];
    const isDown = () => Promise.reject(new Error('D1 is down'));
    const { db } = observeD1(env.DB, { beforeStep: isDown });
    expect((await sendRefresh(laptop, { ...options, db }, id)).status).toBe(503);
    expect((await sendRefresh(laptop, { ...options, cookieSecrets: undefined }, id)).status).toBe(503);
    expect([laptop.cookie, laptop.cookieNamed(BOUND_COOKIE)]).toEqual(cookies);
  });
});

describe('every way to end a session', () => {
  const phoneActs = async (work: (phone: Browser, id: string) => Promise<unknown>) => {
    const phone = new Browser();
    await signInOffered(phone);
    const event = laptop.request(options);
    const { sessionId } = await requireSession(event);
    await work(phone, sessionId);
  };
  it.each<[string, () => Promise<unknown>]>([
    ['signing out', () => signOut(new Browser().plant(laptop.cookie ?? '').request(post))],
    [
      'ending it from another device',
      () =>
        phoneActs(async (phone, id) => {
          const event = phone.request(post);
          await revokeSession(event, await requireSession(event), id);
        }),
    ],
    [
      'ending all others',
      () =>
        phoneActs(async (phone) => {
          const event = phone.request(post);
          await revokeOtherSessions(event, await requireSession(event));
        }),
    ],
    [
      'ending all',
      () =>
        phoneActs(async (phone) => {
          const event = phone.request(post);
          await revokeAllSessions(event, await requireSession(event));
        }),
    ],
    [
      'a new password from another device',
      () =>
        phoneActs(async (phone) => {
          const event = phone.request(post);
          await changePassword(event, await requireSession(event), PASSWORD, 'another good password');
        }),
    ],
    [
      'deleting the account',
      () =>
        phoneActs(async (phone) => {
          const event = phone.request(post);
          await deleteAccount(event, await requireSession(event), PASSWORD);
        }),
    ],
    ['signing in over it', () => signInOffered(new Browser().plant(laptop.cookie ?? ''))],
    ['its last day', async () => void later(90 * 24 * 60 * 60 * 1_000)],
  ])('%s ends the session’s binding', async (_, end) => {
    const id = await bound();
    const { challenge } = await sendRefresh(laptop, options, id);
    await end();
    const cookies = [laptop.cookie, laptop.cookieNamed(BOUND_COOKIE)];
    const gone = { status: 200, body: { session_identifier: id, continue: false } };
    expect(await sendRefresh(laptop, options, id)).toMatchObject(gone);
    expect(await sendRefresh(laptop, options, id, await device.proof(challenge ?? ''))).toMatchObject(gone);
    expect([laptop.cookie, laptop.cookieNamed(BOUND_COOKIE)]).toEqual(cookies);
  });
});

describe('a rotation', () => {
  it.each<[string, (event: ReturnType<Browser['request']>) => Promise<unknown>]>([
    ['the password again', async (event) => stepUp(event, await requireSession(event), PASSWORD)],
    ['ending the others', async (event) => revokeOtherSessions(event, await requireSession(event))],
    [
      'a new password',
      async (event) => changePassword(event, await requireSession(event), PASSWORD, 'another good password'),
    ],
  ])('a rotation by %s keeps the binding', async (_, rotate) => {
    const id = await bound();
    const before = laptop.cookie;
    await rotate(laptop.request(post));
    expect(laptop.cookie).not.toBe(before);
    expect(await isIn()).toBe(true);
    const thief = new Browser().plant(laptop.cookie ?? '');
    await expect(requireSession(thief.request(options))).rejects.toMatchObject(refused);
    laptop.lose(BOUND_COOKIE);
    expect((await refreshWith(laptop, options, device, id)).status).toBe(200);
    expect(await isIn()).toBe(true);
  });

  it('a rotation by password lets the browser bind its session again, once; the old binding has ended', async () => {
    const id = await bound();
    const event = laptop.request(post);
    await stepUp(event, await requireSession(event), PASSWORD);
    const offer = event.locals.auth.deviceKeys?.offer() ?? null;
    const next = await Device.make();
    const second = await bindWith(laptop, options, next, offer);
    expect((await sendBind(laptop, options, await device.registration(offer ?? ''))).status).toBe(403);
    expect((await sendRefresh(laptop, options, id)).body).toMatchObject({ continue: false });
    afterGrace();
    expect((await refreshWith(laptop, options, next, second)).status).toBe(200);
    expect(await isIn()).toBe(true);
  });

  it('after a change of the secret, bound cookies and challenges of the previous one are still accepted', async () => {
    const id = await bound();
    const { challenge } = await sendRefresh(laptop, options, id);
    const rotated = { ...options, cookieSecrets: { current: 'the next', previous: 'a secret' } };
    expect(await isIn(laptop, rotated)).toBe(true);
    const proof = await device.proof(challenge ?? '');
    expect((await sendRefresh(laptop, rotated, id, proof)).status).toBe(200);
    expect(await isIn(laptop, { ...options, cookieSecrets: { current: 'the next' } })).toBe(true);
  });
});

describe('with DEVICE_BINDING off', () => {
  const off = { ...options, deviceBinding: null };

  it('with DEVICE_BINDING off, nothing is enforced and neither endpoint exists', async () => {
    const id = await bound();
    laptop.lose(BOUND_COOKIE);
    expect(await isIn(laptop, off)).toBe(true);
    expect((await sendRefresh(laptop, off, id)).status).toBe(404);
    expect((await sendBind(laptop, off, 'a proof')).status).toBe(404);
  });

  it('with DEVICE_BINDING off, no statement names the table', async () => {
    const asked: string[] = [];
    const db = new Proxy(env.DB, {
      get(target, name) {
        if (name === 'prepare') return (text: string) => (asked.push(text), target.prepare(text));
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const watched = { ...off, db, method: 'POST' as const };
    await signUp(laptop.request(watched), username, PASSWORD);
    const event = laptop.request(watched);
    await changePassword(event, await requireSession(event), PASSWORD, 'another good password');
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter((text) => text.includes('DeviceKey'))).toEqual([]);
  });
});

it('deleting an account leaves no row of its bound sessions', async () => {
  await bound();
  const rows = env.DB.prepare('SELECT count(*) AS n FROM DeviceKey');
  const before = (await rows.first<number>('n')) ?? 0;
  const event = laptop.request(post);
  await deleteAccount(event, await requireSession(event), PASSWORD);
  expect(await rows.first<number>('n')).toBe(before - 1);
  expect(await confirmSession(laptop.request(options))).toBeNull();
});

it('a sign-in deletes the rows that have expired', async () => {
  await bound();
  const rows = env.DB.prepare('SELECT count(*) AS n FROM DeviceKey WHERE expires_at <= ?1');
  later(91 * 24 * 60 * 60 * 1_000);
  expect(await rows.bind(Date.now()).first<number>('n')).toBeGreaterThan(0);
  await signInOffered(new Browser());
  expect(await rows.bind(Date.now()).first<number>('n')).toBe(0);
});
