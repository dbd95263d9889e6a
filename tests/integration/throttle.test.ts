import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  ACCOUNT_THROTTLE,
  ADDRESS_THROTTLE,
  SIGN_INS_PER_HOUR_MAX,
  SIGN_INS_WINDOW_MILLISECONDS,
  SIGN_UP_THROTTLE,
  UNDER_WAY_MILLISECONDS,
} from '$lib/server/policy';
import { bucket, createThrottle } from '$lib/server/throttle/throttle';
import { createSigner } from '$lib/server/sessions/signer';
import { createDeviceCookie } from '$lib/server/throttle/known-browser';
import { Browser, type RequestOptions } from '../setup/browser';
import {
  changePassword,
  confirmSession,
  deleteAccount,
  requireSession,
  revokeOtherSessions,
  signIn,
  signUp,
} from '../setup/requests';

const PASSWORD = 'correct horse battery';
const SECRET = 'a secret of the tests';
/** A fast hash, because these tests are not about hashing. */
const quickHash = {
  generate: (password: string) => Promise.resolve(`hash of ${password}`),
  validate: (password: string, hash: string) => Promise.resolve(hash === `hash of ${password}`),
};

let username: string;
let clock: number;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.useFakeTimers({ toFake: ['Date'] });
  clock = Date.now();
  await env.DB.prepare('DELETE FROM SignInThrottle').run();
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  expect(await signUp(post(new Browser()), username, PASSWORD)).toBe('signed-in');
});

afterEach(() => {
  vi.useRealTimers();
});

function post(browser: Browser, more: Partial<RequestOptions> = {}) {
  return browser.request({
    kv: env.SESSIONS,
    db: env.DB,
    layout: 'owner',
    method: 'POST',
    passwordHash: quickHash,
    cookieSecrets: { current: SECRET },
    ...more,
  });
}

const tryToSignIn = (password: string, browser = new Browser(), name = username) =>
  signIn(post(browser), name, password);

function wait(milliseconds: number) {
  clock += milliseconds;
  vi.setSystemTime(clock);
}

async function fail(times: number, name = username) {
  for (let i = 0; i < times; i += 1) {
    expect(await tryToSignIn('a wrong guess', new Browser(), name)).toBe('refused');
  }
}

/** Returns the rows of the throttle for one kind of bucket or quota. */
async function rowsOf(kind: string) {
  const { results } = await env.DB.prepare('SELECT * FROM SignInThrottle WHERE id GLOB ?1')
    .bind(`${kind}:*`)
    .all<{ id: string; failures: number; under_way: number }>();
  return results;
}

describe('guessing at one account', () => {
  it('guessing at an account is refused after the free failures, even with the right password, and allowed again after the wait', async () => {
    await fail(ACCOUNT_THROTTLE.freeFailures);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 30 });
    wait(29_000);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 1 });
    wait(1_000);
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
  });

  it('each failure doubles the wait, up to the longest', async () => {
    await fail(ACCOUNT_THROTTLE.freeFailures);
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const outcome = await tryToSignIn('a wrong guess');
      const seconds = typeof outcome === 'string' ? 0 : outcome.retryAfterSeconds;
      waits.push(seconds);
      wait(seconds * 1_000);
      expect(await tryToSignIn('a wrong guess')).toBe('refused');
    }
    expect(waits).toEqual([30, 60, 120, 240, 480, 900, 900, 900]);
  });

  it('after the first wait, one guess at a time is let through', async () => {
    await fail(ACCOUNT_THROTTLE.freeFailures);
    wait(30_000);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => tryToSignIn('a wrong guess')));
    expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(1);
  });

  it('simultaneous guesses get no more answers than successive ones', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => tryToSignIn('a wrong guess')));
    const refused = outcomes.filter((outcome) => outcome === 'refused');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThanOrEqual(ACCOUNT_THROTTLE.freeFailures);
    for (const outcome of outcomes.filter((outcome) => outcome !== 'refused')) {
      expect(outcome).toMatchObject({ retryAfterSeconds: 30 });
    }
  });

  it('a right guess that was overtaken by a block does not sign in', async () => {
    const compared = Promise.withResolvers<void>();
    const slowForTheRight = {
      ...quickHash,
      validate: async (password: string, hash: string) => {
        if (password === PASSWORD) await compared.promise;
        return quickHash.validate(password, hash);
      },
    };
    const guess = (password: string) => {
      const event = post(new Browser(), { passwordHash: slowForTheRight });
      return { event, outcome: signIn(event, username, password) };
    };
    const right = guess(PASSWORD);
    const wrong = Array.from({ length: 10 }, () => guess('a wrong guess'));
    await Promise.all(wrong.map(({ outcome }) => outcome));
    compared.resolve();
    expect(await right.outcome).toHaveProperty('retryAfterSeconds');
    expect(await confirmSession(right.event)).toBeNull();
    const { results } = await env.DB.prepare(
      "SELECT type FROM SecurityEvent JOIN User ON User.id = user_id WHERE username = ?1 AND type LIKE 'signed-in%'",
    )
      .bind(username)
      .all();
    expect(results).toEqual([]);
  });

  it('a guess that never finishes holds up the next one for a minute at most', async () => {
    const throttle = createThrottle(env.DB);
    const account = bucket(ACCOUNT_THROTTLE, 'a secret of the tests', 'account', username);
    for (let n = 0; n < ACCOUNT_THROTTLE.triesAtOnce; n += 1) {
      expect(await throttle.take([account])).toHaveProperty('counted');
    }
    wait(UNDER_WAY_MILLISECONDS - 1);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 1 });
    wait(1);
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
  });

  it('after the first wait, too, a guess that never finishes holds up the next one for a minute', async () => {
    await fail(ACCOUNT_THROTTLE.freeFailures);
    wait(30_000);
    const account = bucket(ACCOUNT_THROTTLE, 'a secret of the tests', 'account', username);
    expect(await createThrottle(env.DB).take([account])).toHaveProperty('counted');
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 1 });
    wait(UNDER_WAY_MILLISECONDS);
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
  });

  it('the result of a guess that finishes later than that is not told', async () => {
    const [letThrough, compared] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow = {
      ...quickHash,
      async validate(password: string, hash: string) {
        letThrough.resolve();
        await compared.promise;
        return quickHash.validate(password, hash);
      },
    };
    const late = signIn(post(new Browser(), { passwordHash: slow }), username, 'a wrong guess');
    await letThrough.promise;
    wait(UNDER_WAY_MILLISECONDS);
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
    compared.resolve();
    expect(await late).toMatchObject({ retryAfterSeconds: 1 });
  });

  it('guessing is treated the same whether the name exists or not', async () => {
    await fail(ACCOUNT_THROTTLE.freeFailures, 'nobody-of-that-name');
    expect(await tryToSignIn(PASSWORD, new Browser(), 'nobody-of-that-name')).toEqual({
      retryAfterSeconds: 30,
    });
  });

  it('guessing by others does not lock out a browser that signed in before', async () => {
    const own = new Browser();
    expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
    await fail(ACCOUNT_THROTTLE.freeFailures);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 30 });
    expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
  });

  it('a known browser is counted separately, so a stolen device cookie guesses no faster', async () => {
    const own = new Browser();
    await tryToSignIn(PASSWORD, own);
    for (let i = 0; i < ACCOUNT_THROTTLE.freeFailures; i += 1) {
      expect(await tryToSignIn('a wrong guess', own)).toBe('refused');
    }
    expect(await tryToSignIn(PASSWORD, own)).toMatchObject({ retryAfterSeconds: 30 });
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
  });

  it('a device cookie of another account or secret is not accepted', async () => {
    const own = new Browser();
    await tryToSignIn(PASSWORD, own);
    const other = `${username}-b`;
    await signUp(post(new Browser()), other, PASSWORD);
    await fail(ACCOUNT_THROTTLE.freeFailures, other);
    expect(await tryToSignIn(PASSWORD, own, other)).toMatchObject({ retryAfterSeconds: 30 });
    await fail(ACCOUNT_THROTTLE.freeFailures);
    const { cookies, url } = post(own);
    const under = (current: string, previous?: string) =>
      createDeviceCookie(cookies, true, createSigner({ current, previous }, url.origin)).deviceOf(username);
    expect(await under('another secret')).toBeNull();
    expect(await under('another secret', 'a third one')).toBeNull();
    expect(await under('another secret', SECRET)).not.toBeNull();
  });

  describe('a, then b, then a in one browser', () => {
    /** Returns whether this browser is let in while strangers guess at the account. */
    async function staysKnown(browser: Browser, name: string): Promise<boolean> {
      await fail(ACCOUNT_THROTTLE.freeFailures, name);
      return (await tryToSignIn(PASSWORD, browser, name)) === 'signed-in';
    }
    const deviceCookie = (browser: Browser) => post(browser).cookies.get('__Host-device') ?? '';

    async function another(browser: Browser): Promise<string> {
      const name = `bea-${crypto.randomUUID().slice(0, 8)}`;
      expect(await signUp(post(browser), name, PASSWORD)).toBe('signed-in');
      return name;
    }

    it('a browser that alternates between two accounts stays known to both, and its cookie names neither', async () => {
      const shared = new Browser();
      await tryToSignIn(PASSWORD, shared);
      const second = await another(shared);
      expect(await staysKnown(shared, username)).toBe(true);
      expect(await staysKnown(shared, second)).toBe(true);
      expect(deviceCookie(shared)).not.toContain(username);
      expect(deviceCookie(shared)).not.toContain(second);
    });

    it('a browser is known to its last six accounts; the least recently used one is dropped; the cookie stays under 1 kB', async () => {
      const shared = new Browser();
      await tryToSignIn(PASSWORD, shared);
      const names = [username];
      for (let i = 0; i < 5; i += 1) names.push(await another(shared));
      expect(post(shared).locals.facts.cookies.get('__Host-device')?.split('~')).toHaveLength(6);
      expect(deviceCookie(shared).length).toBeLessThan(1_000);
      // It is used again, so it is no longer the oldest.
      expect(await tryToSignIn(PASSWORD, shared)).toBe('signed-in');
      names.push(await another(shared));
      expect(deviceCookie(shared).length).toBeLessThan(1_000);
      expect(await staysKnown(shared, username)).toBe(true);
      expect(await staysKnown(shared, names[1] ?? '')).toBe(false);
      for (const name of names.slice(2)) expect(await staysKnown(shared, name), name).toBe(true);
    });

    it('the device cookie has one entry per account, however often the account signs in', async () => {
      const own = new Browser();
      for (let i = 0; i < 4; i += 1) await tryToSignIn(PASSWORD, own);
      expect(deviceCookie(own)).not.toContain('~');
    });

    it('a device cookie with more entries than allowed is not searched', async () => {
      const own = new Browser();
      await tryToSignIn(PASSWORD, own);
      const event = post(own);
      const filler = `${'x'.repeat(22)}.${'x'.repeat(43)}.${'x'.repeat(43)}`;
      const of = (value: string) =>
        createDeviceCookie(
          { ...event.cookies, get: () => value },
          true,
          createSigner({ current: SECRET }, event.url.origin),
        ).deviceOf(username);
      expect(await of([...Array<string>(5).fill(filler), deviceCookie(own)].join('~'))).not.toBeNull();
      expect(await of([...Array<string>(6).fill(filler), deviceCookie(own)].join('~'))).toBeNull();
      expect(await of(`~~~${deviceCookie(own)}~`)).not.toBeNull();
    });
  });

  it('a browser is known by the previous secret, and from its next sign-in on by the new one', async () => {
    const own = new Browser();
    await tryToSignIn(PASSWORD, own);
    const rotated = { cookieSecrets: { current: 'the next secret', previous: SECRET } };
    for (let i = 0; i < ACCOUNT_THROTTLE.freeFailures; i += 1) {
      expect(await signIn(post(new Browser(), rotated), username, 'a wrong guess')).toBe('refused');
    }
    expect(await signIn(post(new Browser(), rotated), username, PASSWORD)).toMatchObject({
      retryAfterSeconds: 30,
    });
    expect(await signIn(post(own, rotated), username, PASSWORD)).toBe('signed-in');
    const alone = { cookieSecrets: { current: 'the next secret' } };
    expect(await signIn(post(own, alone), username, PASSWORD)).toBe('signed-in');
  });

  describe.each([
    {
      who: 'who had an account of that name before',
      then: async (browser: Browser) => {
        const event = post(browser);
        expect(await deleteAccount(event, await requireSession(event), PASSWORD)).toBe('deleted');
        expect(await signUp(post(new Browser()), username, 'of the next owner')).toBe('signed-in');
      },
    },
    {
      who: 'who knew the last password',
      then: async (browser: Browser) => {
        const event = post(browser);
        const changed = await changePassword(event, await requireSession(event), PASSWORD, 'a better one');
        expect(changed).toHaveProperty('endedOthers');
      },
    },
  ])('with the device cookies of many sign-ins, by one $who', ({ then }) => {
    it('guessing with old device cookies counts as guessing by a stranger', async () => {
      const devices = Array.from({ length: 10 }, () => new Browser());
      for (const device of devices) expect(await tryToSignIn(PASSWORD, device)).toBe('signed-in');
      await then(devices[0] ?? new Browser());
      const guesses = devices.slice(1).flatMap((device) => [device, device, device]);
      const outcomes = [];
      for (const device of guesses) outcomes.push(await tryToSignIn('a wrong guess', device));
      expect(outcomes.filter((outcome) => outcome === 'refused')).toHaveLength(ACCOUNT_THROTTLE.freeFailures);
    });
  });

  it('a new password keeps the browser that set it known, and locks out those that had the old one', async () => {
    const [own, other] = [new Browser(), new Browser()];
    for (const browser of [own, other]) expect(await tryToSignIn(PASSWORD, browser)).toBe('signed-in');
    const event = post(own);
    await changePassword(event, await requireSession(event), PASSWORD, 'a better one');
    await fail(ACCOUNT_THROTTLE.freeFailures);
    expect(await tryToSignIn('a better one', other)).toMatchObject({ retryAfterSeconds: 30 });
    expect(await tryToSignIn('a better one', own)).toBe('signed-in');
  });

  it('a browser with an earlier password that is refused as a stranger is counted nowhere', async () => {
    const other = new Browser();
    expect(await tryToSignIn(PASSWORD, other)).toBe('signed-in');
    const own = new Browser();
    await tryToSignIn(PASSWORD, own);
    const event = post(own);
    await changePassword(event, await requireSession(event), PASSWORD, 'a better one');
    await fail(ACCOUNT_THROTTLE.freeFailures);
    for (let n = 0; n < ACCOUNT_THROTTLE.triesAtOnce + 1; n += 1) {
      expect(await tryToSignIn('a better one', other)).toMatchObject({ retryAfterSeconds: 30 });
    }
    wait(30_000);
    expect(await tryToSignIn('a better one', other)).toBe('signed-in');
  });

  it('failures are forgotten a day after the first one, however many followed', async () => {
    const most = ACCOUNT_THROTTLE.freeFailures - 1;
    await fail(most);
    wait(23 * 60 * 60 * 1_000);
    await fail(1);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 30 });
    wait(60 * 60 * 1_000);
    await fail(ACCOUNT_THROTTLE.freeFailures);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 30 });
  });

  it('many simultaneous sign-ins by the owner are not counted as guesses', async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => tryToSignIn(PASSWORD)));
    expect(outcomes).toEqual(Array.from({ length: 20 }, () => 'signed-in'));
  });
});

describe('guessing from one address', () => {
  const address = '2001:db8:1:2:3:4:5:6';
  const sameBlock = '2001:db8:1:2:ffff::1';

  it('guessing at many names from one address is refused after the free failures, for the whole block', async () => {
    const guess = (n: number) => signIn(post(new Browser(), { address }), `name-${n}`, 'a guess');
    for (let n = 0; n < ADDRESS_THROTTLE.freeFailures; n += ADDRESS_THROTTLE.triesAtOnce) {
      const atOnce = Array.from({ length: ADDRESS_THROTTLE.triesAtOnce }, (_, i) => guess(n + i));
      expect(new Set(await Promise.all(atOnce))).toEqual(new Set(['refused']));
    }
    const outcome = await signIn(post(new Browser(), { address: sameBlock }), username, PASSWORD);
    expect(outcome).toMatchObject({ retryAfterSeconds: 30 });
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
  });

  it('sign-ins that succeed are not counted for the address, because many people may share it', async () => {
    for (let i = 0; i < ADDRESS_THROTTLE.freeFailures + 10; i += ADDRESS_THROTTLE.triesAtOnce) {
      const atOnce = Array.from({ length: ADDRESS_THROTTLE.triesAtOnce }, () =>
        signIn(post(new Browser(), { address }), username, PASSWORD),
      );
      expect(new Set(await Promise.all(atOnce))).toEqual(new Set(['signed-in']));
    }
  });

  it('after somebody with the right password, the next colleague at the address may sign in', async () => {
    const guess = (n: number) => signIn(post(new Browser(), { address }), `name-${n}`, 'a guess');
    for (let n = 0; n < ADDRESS_THROTTLE.freeFailures; n += 1) expect(await guess(n)).toBe('refused');
    wait(30_000);
    for (let n = 0; n < 3; n += 1) {
      expect(await signIn(post(new Browser(), { address }), username, PASSWORD)).toBe('signed-in');
    }
    // The count continues from where it was.
    expect(await guess(0)).toBe('refused');
    expect(await guess(1)).toMatchObject({ retryAfterSeconds: 60 });
  });

  it('while an address waits, its attempts do not count against any account', async () => {
    for (let n = 0; n < ADDRESS_THROTTLE.freeFailures; n += 1) {
      await signIn(post(new Browser(), { address }), `name-${n}`, 'a guess');
    }
    for (let n = 0; n < ACCOUNT_THROTTLE.triesAtOnce + 1; n += 1) {
      const outcome = await signIn(post(new Browser(), { address }), username, PASSWORD);
      expect(outcome).toMatchObject({ retryAfterSeconds: 30 });
    }
    await fail(ACCOUNT_THROTTLE.freeFailures);
    expect(await tryToSignIn(PASSWORD)).toMatchObject({ retryAfterSeconds: 30 });
  });

  it('the throttle stores no address and no name', async () => {
    await signIn(post(new Browser(), { address: '203.0.113.7' }), username, 'a guess');
    const { results } = await env.DB.prepare('SELECT * FROM SignInThrottle').all();
    expect(results).toHaveLength(2);
    expect(JSON.stringify(results)).not.toMatch(/203\.0\.113|ada-/);
  });
});

describe('signing up from one address', () => {
  it('signing up from one address is limited, and the response says for how long', async () => {
    const address = '198.51.100.9';
    for (let i = 0; i < SIGN_UP_THROTTLE.freeFailures; i += 1) {
      expect(await signUp(post(new Browser(), { address }), `${username}-${i}`, PASSWORD)).toBe('signed-in');
    }
    const outcome = await signUp(post(new Browser(), { address }), `${username}-more`, PASSWORD);
    expect(outcome).toMatchObject({ retryAfterSeconds: 30 });
  });

  it('requests for taken names count as sign-ups', async () => {
    const address = '198.51.100.10';
    for (let i = 0; i < SIGN_UP_THROTTLE.freeFailures; i += 1) {
      expect(await signUp(post(new Browser(), { address }), username, PASSWORD)).toBe('taken');
    }
    const outcome = await signUp(post(new Browser(), { address }), username, PASSWORD);
    expect(outcome).toMatchObject({ retryAfterSeconds: 30 });
  });
});

describe('tries of one address that are under way at once', () => {
  const address = '192.0.2.44';
  const most = ADDRESS_THROTTLE.triesAtOnce;

  /** Returns a hash that does not finish until it is told to. */
  function slowHash() {
    const compared = Promise.withResolvers<void>();
    const afterwards = <Values extends unknown[], Result>(hash: (...values: Values) => Promise<Result>) => {
      return async (...values: Values) => {
        await compared.promise;
        return hash(...values);
      };
    };
    const hash = { generate: afterwards(quickHash.generate), validate: afterwards(quickHash.validate) };
    return { hash, resolve: compared.resolve };
  }

  const guessing = (passwordHash: typeof quickHash, n: number) =>
    signIn(post(new Browser(), { address, passwordHash }), `name-${n}`, 'a guess');
  const signingUp = (passwordHash: typeof quickHash, n: number) =>
    signUp(post(new Browser(), { address, passwordHash }), `${username}-${n}`, PASSWORD);

  it.each([
    { what: 'sign-ins', one: guessing },
    { what: 'sign-ups', one: signingUp },
    {
      what: 'both',
      one: (hash: typeof quickHash, n: number) => (n % 2 ? signingUp : guessing)(hash, n),
    },
  ])('ten attempts of one address may be in progress at once: $what', async ({ one }) => {
    const own = new Browser();
    expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
    const { hash, resolve } = slowHash();
    const answers: unknown[] = [];
    const sent = Array.from({ length: 3 * most }, (_, n) =>
      one(hash, n).then((answer) => answers.push(answer)),
    );
    await vi.waitUntil(() => answers.length === 2 * most);
    expect(answers).toEqual(answers.map(() => ({ retryAfterSeconds: 1 })));
    expect((await rowsOf('address')).map(({ under_way }) => under_way)).toEqual([most]);
    // A known browser also hashes for this address.
    expect(await signIn(post(own, { address }), username, PASSWORD)).toMatchObject({ retryAfterSeconds: 1 });
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
    resolve();
    await Promise.all(sent);
    expect(answers.slice(2 * most)).not.toContainEqual({ retryAfterSeconds: 1 });
    expect(await signIn(post(own, { address }), username, PASSWORD)).toBe('signed-in');
  });

  it('attempts in progress do not keep a known browser from signing in while guesses from its address have to wait', async () => {
    const own = new Browser();
    expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
    for (let n = 0; n < ADDRESS_THROTTLE.freeFailures; n += 1) await guessing(quickHash, n);
    expect(await guessing(quickHash, 0)).toMatchObject({ retryAfterSeconds: 30 });
    expect(await signIn(post(own, { address }), username, PASSWORD)).toBe('signed-in');
  });
});

describe('sign-ins with the right password', () => {
  /** Sets the count of sign-ins in this hour. */
  async function countAsManyAs(signIns: number, kind: string) {
    const { meta } = await env.DB.prepare('UPDATE SignInThrottle SET failures = ?1 WHERE id GLOB ?2')
      .bind(signIns, `${kind}:*`)
      .run();
    expect(meta.changes).toBe(1);
  }

  it('sign-ins with the right password are counted, however many come at once, and limited in an hour; a wrong password gets the same response', async () => {
    const minute = 60_000;
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
    wait(minute);
    const atOnce = Array.from({ length: 20 }, () => tryToSignIn(PASSWORD));
    expect(new Set(await Promise.all(atOnce))).toEqual(new Set(['signed-in']));
    expect(await tryToSignIn('a wrong guess')).toBe('refused');
    expect((await rowsOf('sign-ins')).map(({ failures }) => failures)).toEqual([21]);
    await countAsManyAs(SIGN_INS_PER_HOUR_MAX - 1, 'sign-ins');
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
    const rest = { retryAfterSeconds: (SIGN_INS_WINDOW_MILLISECONDS - minute) / 1_000 };
    expect(await tryToSignIn(PASSWORD)).toEqual(rest);
    expect(await tryToSignIn('a wrong guess')).toEqual(rest);
    wait(SIGN_INS_WINDOW_MILLISECONDS - minute);
    expect(await tryToSignIn('a wrong guess')).toBe('refused');
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
    expect((await rowsOf('sign-ins')).map(({ failures }) => failures)).toEqual([1]);
  });

  it('sign-ins by others do not lock out the browser that signed in before, though it has a limit of its own', async () => {
    const own = new Browser();
    expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
    await countAsManyAs(SIGN_INS_PER_HOUR_MAX - 1, 'sign-ins');
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
    expect(await tryToSignIn(PASSWORD)).toHaveProperty('retryAfterSeconds');
    // Each sign-in gives it a new device cookie.
    for (let n = 1; n <= 5; n += 1) {
      expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
      expect((await rowsOf('sign-ins-device')).map(({ failures }) => failures)).toEqual([n]);
    }
    await countAsManyAs(SIGN_INS_PER_HOUR_MAX - 1, 'sign-ins-device');
    expect(await tryToSignIn(PASSWORD, own)).toBe('signed-in');
    const rest = { retryAfterSeconds: SIGN_INS_WINDOW_MILLISECONDS / 1_000 };
    expect(await tryToSignIn(PASSWORD, own)).toEqual(rest);
    expect(await tryToSignIn('a wrong guess', own)).toEqual(rest);
  });
});

describe('guessing the password from a session', () => {
  it('guessing the password from a session is slowed down, and locks nobody else out', async () => {
    const thief = new Browser();
    await tryToSignIn(PASSWORD, thief);
    const guess = async () => {
      const event = post(thief);
      return deleteAccount(event, await requireSession(event), 'a wrong guess');
    };
    for (let i = 0; i < ACCOUNT_THROTTLE.freeFailures; i += 1) expect(await guess()).toBe('wrong-password');
    expect(await guess()).toMatchObject({ retryAfterSeconds: 30 });
    expect(await tryToSignIn(PASSWORD)).toBe('signed-in');
  });

  it('guessing from a session is still counted when the session gets a new token', async () => {
    const thief = new Browser();
    await tryToSignIn(PASSWORD, thief);
    for (let i = 0; i < ACCOUNT_THROTTLE.freeFailures; i += 1) {
      const event = post(thief);
      expect(await deleteAccount(event, await requireSession(event), 'a wrong guess')).toBe('wrong-password');
      const rotation = post(thief);
      await revokeOtherSessions(rotation, await requireSession(rotation));
    }
    const event = post(thief);
    expect(await deleteAccount(event, await requireSession(event), PASSWORD)).toEqual({
      retryAfterSeconds: 30,
    });
  });

  it('simultaneous guesses from a session get no more answers', async () => {
    const thief = new Browser();
    await tryToSignIn(PASSWORD, thief);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const event = post(thief);
        return deleteAccount(event, await requireSession(event), 'a wrong guess');
      }),
    );
    const answered = outcomes.filter((outcome) => outcome === 'wrong-password').length;
    expect(answered).toBeGreaterThan(0);
    expect(answered).toBeLessThanOrEqual(ACCOUNT_THROTTLE.freeFailures);
  });
});

describe('rows of the throttle', () => {
  it('a refused attempt leaves no row, whatever bucket refused it', async () => {
    const address = '192.0.2.45';
    for (let n = 0; n < ADDRESS_THROTTLE.freeFailures; n += 1) {
      await signIn(post(new Browser(), { address }), 'one name', 'a guess');
      await signIn(post(new Browser(), { address }), `name-${n}`, 'a guess');
    }
    const before = await rowsOf('*');
    for (const name of ['another name', username, 'one name']) {
      expect(await signIn(post(new Browser(), { address }), name, 'a guess')).toHaveProperty(
        'retryAfterSeconds',
      );
    }
    expect(await rowsOf('*')).toEqual(before);
  });

  it('rows are deleted with what they held: a right password leaves only the count of its hour', async () => {
    const address = '192.0.2.46';
    await fail(3);
    expect(await signIn(post(new Browser(), { address }), username, PASSWORD)).toBe('signed-in');
    expect((await rowsOf('*')).map(({ id, failures }) => [id.split(':')[0], failures])).toEqual([
      ['sign-ins', 1],
    ]);
  });

  it('rows are deleted after their window, at the next attempt', async () => {
    await fail(1);
    wait(25 * 60 * 60 * 1_000);
    await tryToSignIn('a wrong guess', new Browser(), 'another name');
    const { results } = await env.DB.prepare('SELECT failures FROM SignInThrottle').all();
    expect(results).toEqual([{ failures: 1 }]);
  });
});
