import { randomBytes } from 'node:crypto';
import type { CookieJar } from '../sessions/request-facts';
import type { Signer } from '../sessions/signer';
import { DEVICE_COOKIE_ACCOUNTS_MAX, DEVICE_COOKIE_SECONDS } from '../policy';

/**
 * A signed cookie that says "this browser signed in to these accounts, with the passwords that they have now". Guessing by strangers
 * then does not lock the owner's browser out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). It signs nobody in.
 * Each sign-in gives an entry; bound to the password, it is of no use to who knew an earlier one, or had an earlier account of
 * that name. A browser that several people use has one for each, up to a few; of two sign-ins at the same moment the later answer's
 * cookie stays, and the other account's next sign-in gives its entry again.
 */
export type DeviceCookie = ReturnType<typeof createDeviceCookie>;

/** A browser that signed in to an account of some name before. */
export type Device = {
  /** Of the cookie: each sign-in gives another. */
  id: string;
  /** Of the browser: it stays through sign-ins, so that they can be counted. */
  browserId: string;
  /** Whether that was with the password of this hash. */
  hasSignedInWith(passwordHash: string): boolean;
};

// Entries, the last used first, with "~" between them. Each is
// <nonce>.<keyed hash of the password's hash>.<signature over both and the username>: the cookie itself names nobody.
// The first half of the nonce stays with the browser, the second is drawn with each sign-in.
const BETWEEN = '~';
const FORM = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
const BROWSER_BYTES = 8;
const NONCE_BYTES = 16;

/** Without a secret no browser is known, and none is told that it is. */
export function createDeviceCookie(cookies: CookieJar, secure: boolean, signer: Signer | null) {
  const name = secure ? '__Host-device' : 'device';

  const entries = () =>
    (cookies.get(name) ?? '')
      .split(BETWEEN, 2 * DEVICE_COOKIE_ACCOUNTS_MAX)
      .filter((entry) => FORM.test(entry))
      .slice(0, DEVICE_COOKIE_ACCOUNTS_MAX);

  /** The device of an entry, if it is this account's. */
  function deviceIn(entry: string, username: string): Device | null {
    const [, nonce, password, signature] = FORM.exec(entry) ?? [];
    if (!signer || !nonce || !password || !signature) return null;
    if (!signer.verify(signature, 'known-browser', nonce, password, username)) return null;
    return {
      id: nonce,
      browserId: browserOf(nonce).toString('base64url'),
      hasSignedInWith: (passwordHash) => signer.verify(password, 'known-browser', passwordHash),
    };
  }

  return {
    /** This browser, if it signed in to an account of that name before. */
    deviceOf(username: string): Device | null {
      // All of them: how long it takes does not depend on which one fits.
      return entries().reduce<Device | null>((found, entry) => deviceIn(entry, username) ?? found, null);
    },

    /** Makes this browser one of the account's own for a year, or until its password changes. */
    remember(username: string, passwordHash: string): void {
      if (!signer) return;
      const before = this.deviceOf(username);
      const browser = before ? browserOf(before.id) : randomBytes(BROWSER_BYTES);
      const drawn = randomBytes(NONCE_BYTES - BROWSER_BYTES);
      const nonce = Buffer.concat([browser, drawn]).toString('base64url');
      const password = signer.sign('known-browser', passwordHash);
      const signature = signer.sign('known-browser', nonce, password, username);
      const others = entries().filter((entry) => deviceIn(entry, username) === null);
      const kept = [`${nonce}.${password}.${signature}`, ...others].slice(0, DEVICE_COOKIE_ACCOUNTS_MAX);
      cookies.set(name, kept.join(BETWEEN), {
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure,
        maxAge: DEVICE_COOKIE_SECONDS,
      });
    },
  };
}

function browserOf(nonce: string): Buffer {
  return Buffer.from(nonce, 'base64url').subarray(0, BROWSER_BYTES);
}
