import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

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
  verify(mac: string, purpose: Purpose, ...parts: string[]): boolean;
};

const KEY_BYTES = 32;

/** Cached per isolate, by purpose and secret (the secrets are bindings), because deriving a key takes longer than signing. */
const derived = new Map<string, Buffer>();

/** Derives the key of one purpose by HKDF-SHA-256 (RFC 5869). The secret is random, so it needs no salt. */
export function deriveKey(secret: string, purpose: Purpose): Buffer {
  const id = `${purpose}/${secret}`;
  const known = derived.get(id);
  if (known) return known;
  const key: Buffer = Buffer.from(hkdfSync('sha256', secret, '', `pages-sessions/${purpose}`, KEY_BYTES));
  derived.set(id, key);
  return key;
}

/** Creates the signer of one request. `null` without a secret: then nothing is signed, and no signature is accepted. */
export function createSigner(secrets: CookieSecrets | undefined, origin: string): Signer | null {
  if (!secrets?.current) return null;
  const { current, previous } = secrets;

  // JSON marks where each part ends, so two different lists never produce the same text.
  const mac = (secret: string, purpose: Purpose, parts: string[]) =>
    createHmac('sha256', deriveKey(secret, purpose))
      .update(JSON.stringify([purpose, origin, ...parts]))
      .digest('base64url');

  return {
    sign: (purpose, ...parts) => mac(current, purpose, parts),
    verify(given, purpose, ...parts) {
      if (isEqual(mac(current, purpose, parts), given)) return true;
      return previous ? isEqual(mac(previous, purpose, parts), given) : false;
    },
  };
}

const encoder = new TextEncoder();

/** Compares in constant time for strings of the same length. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [encoder.encode(a), encoder.encode(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
