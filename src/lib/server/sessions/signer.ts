import { createHmac, hkdfSync } from 'node:crypto';

/** `COOKIE_SECRET`, and `COOKIE_SECRET_PREVIOUS` for as long as its signatures are still accepted. */
export type CookieSecrets = { current: string; previous?: string | undefined };

/** What a key is for. Each purpose has its own key, so a MAC made for one is invalid for another. */
export type Purpose =
  'bound-cookie' | 'confirmation' | 'device-challenge' | 'known-browser' | 'race' | 'throttle';

/**
 * Makes and checks MACs (HMAC-SHA-256) over a purpose, the origin of this request, and any number of parts. It knows nothing about cookies
 * or clocks: if a part holds an expiry, its reader must check it.
 */
export type Signer = {
  /** Returns the MAC of exactly these parts, in this order, under the current secret: 43 characters of base64url. */
  sign(purpose: Purpose, ...parts: string[]): string;
  /** Whether `mac` was made from exactly these parts, on this origin, under the current or the previous secret. Accepts any string. */
  verify(mac: string, purpose: Purpose, ...parts: string[]): Promise<boolean>;
};

const KEY_BYTES = 32;

/**
 * 32 bytes in base64url. Of the last character only four bits count. Only these 16 are accepted, so each MAC has one accepted spelling, and
 * an edited one is refused.
 */
const MAC_FORM = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/** Cached per isolate, by purpose and secret (the secrets are bindings), because deriving a key takes longer than signing. */
const derived = new Map<string, Buffer<ArrayBuffer>>();

/** Derives the key of one purpose by HKDF-SHA-256 (RFC 5869). The secret is random, so it needs no salt. */
export function deriveKey(secret: string, purpose: Purpose): Buffer<ArrayBuffer> {
  const id = `${purpose}/${secret}`;
  const known = derived.get(id);
  if (known) return known;
  const key = Buffer.from(hkdfSync('sha256', secret, '', `pages-sessions/${purpose}`, KEY_BYTES));
  derived.set(id, key);
  return key;
}

const HMAC = { name: 'HMAC', hash: 'SHA-256' };
const encoder = new TextEncoder();

/** Cached per isolate, as above. */
const imported = new Map<string, CryptoKey>();

async function verifyingKey(secret: string, purpose: Purpose): Promise<CryptoKey> {
  const id = `${purpose}/${secret}`;
  const known = imported.get(id);
  if (known) return known;
  const key = await crypto.subtle.importKey('raw', deriveKey(secret, purpose), HMAC, false, ['verify']);
  imported.set(id, key);
  return key;
}

/**
 * Creates the signer of one request. `null` without a secret: then nothing is signed, and no signature is accepted.
 *
 * It signs with `node:crypto`, which is synchronous. It verifies with WebCrypto, which compares in constant time and takes less time on a
 * page view (docs/decisions/0017-confirmation-cookie.md).
 */
export function createSigner(secrets: CookieSecrets | undefined, origin: string): Signer | null {
  if (!secrets?.current) return null;
  const { current, previous } = secrets;

  // JSON marks where each part ends, so two different lists never produce the same text.
  const signed = (purpose: Purpose, parts: string[]) => JSON.stringify([purpose, origin, ...parts]);

  async function isSignedUnder(secret: string, mac: string, purpose: Purpose, parts: string[]) {
    const key = await verifyingKey(secret, purpose);
    const bytes = Buffer.from(mac, 'base64url');
    return crypto.subtle.verify('HMAC', key, bytes, encoder.encode(signed(purpose, parts)));
  }

  return {
    sign: (purpose, ...parts) =>
      createHmac('sha256', deriveKey(current, purpose)).update(signed(purpose, parts)).digest('base64url'),
    async verify(mac, purpose, ...parts) {
      if (!MAC_FORM.test(mac)) return false;
      if (await isSignedUnder(current, mac, purpose, parts)) return true;
      return previous ? isSignedUnder(previous, mac, purpose, parts) : false;
    },
  };
}
