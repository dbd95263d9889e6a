import { randomBytes } from 'node:crypto';
import type { CookieJar } from '../sessions/request-facts';
import type { Signer } from '../sessions/signer';
import { DEVICE_COOKIE_ACCOUNTS_MAX, DEVICE_COOKIE_SECONDS } from '../policy';

/**
 * A signed cookie that says "this browser signed in to these accounts, with their current passwords". With it, guesses by strangers do not
 * lock the owner's browser out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). It signs nobody in. Each sign-in adds an
 * entry. An entry is bound to the password, so it is worthless to someone who knew an earlier password or had an earlier account with that
 * name. A browser that several people use has one entry per account, up to a few. If two sign-ins happen at the same moment, only the later
 * response's cookie stays; the other account gets its entry again with its next sign-in.
 */
export type DeviceCookie = ReturnType<typeof createDeviceCookie>;

/** A browser that has signed in to an account with some name. */
export type Device = {
  /** Identifies the cookie entry. Each sign-in makes a new one. */
  id: string;
  /** Identifies the browser. It stays the same across sign-ins, so that they can be counted. */
  browserId: string;
  /** Whether it signed in with the password behind this hash. */
  hasSignedInWith(passwordHash: string): Promise<boolean>;
};

// Entries, last used first, separated by "~". Each one is <nonce>.<keyed hash of the password's hash>.<signature over both and the
// username>, so the cookie itself names nobody. The first half of the nonce stays with the browser. The second half is new with each
// sign-in.
const BETWEEN = '~';
const FORM = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{43})$/;
const BROWSER_BYTES = 8;
const NONCE_BYTES = 16;

/** Without a secret, no browser is recognized and no cookie is set. */
export function createDeviceCookie(cookies: CookieJar, secure: boolean, signer: Signer | null) {
  const name = secure ? '__Host-device' : 'device';

  const entries = () =>
    (cookies.get(name) ?? '')
      .split(BETWEEN, 2 * DEVICE_COOKIE_ACCOUNTS_MAX)
      .filter((entry) => FORM.test(entry))
      .slice(0, DEVICE_COOKIE_ACCOUNTS_MAX);

  /** Returns the device of an entry if the entry belongs to this account. */
  async function deviceIn(entry: string, username: string): Promise<Device | null> {
    const [, nonce, password, signature] = FORM.exec(entry) ?? [];
    if (!signer || !nonce || !password || !signature) return null;
    if (!(await signer.verify(signature, 'known-browser', nonce, password, username))) return null;
    return {
      id: nonce,
      browserId: browserOf(nonce).toString('base64url'),
      hasSignedInWith: (passwordHash) => signer.verify(password, 'known-browser', passwordHash),
    };
  }

  /** Returns each entry with its device. All are checked, so that the time does not reveal which one belongs to this account. */
  const read = (username: string) =>
    Promise.all(entries().map(async (entry) => ({ entry, device: await deviceIn(entry, username) })));

  return {
    /** Returns this browser's device if it has signed in to an account with that name before. */
    async deviceOf(username: string): Promise<Device | null> {
      return (await read(username)).find(({ device }) => device)?.device ?? null;
    },

    /** Makes this browser one of the account's own for a year, or until its password changes. */
    async remember(username: string, passwordHash: string): Promise<void> {
      if (!signer) return;
      const before = await read(username);
      const own = before.find(({ device }) => device)?.device;
      const browser = own ? browserOf(own.id) : randomBytes(BROWSER_BYTES);
      const drawn = randomBytes(NONCE_BYTES - BROWSER_BYTES);
      const nonce = Buffer.concat([browser, drawn]).toString('base64url');
      const password = signer.sign('known-browser', passwordHash);
      const signature = signer.sign('known-browser', nonce, password, username);
      const others = before.filter(({ device }) => !device).map(({ entry }) => entry);
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
