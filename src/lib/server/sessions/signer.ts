import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

/** `COOKIE_SECRET`, and `COOKIE_SECRET_PREVIOUS` for as long as what it signed is to be accepted. */
export type CookieSecrets = { current: string; previous?: string | undefined };

/** What a key is for. Each purpose has a key of its own, so a MAC made for one is worth nothing for another. */
export type Purpose =
  'bound-cookie' | 'confirmation' | 'device-challenge' | 'known-browser' | 'race' | 'throttle';

/**
 * Makes and checks MACs (HMAC-SHA-256) over a purpose, the origin of this request, and any number of parts. It knows nothing of cookies or
 * clocks: a part that says until when a value is good is up to whoever reads it.
 */
export type Signer = {
  /** The MAC of exactly these parts, in this order, under the current secret: 43 characters of base64url. */
  sign(purpose: Purpose, ...parts: string[]): string;
  /** Whether `mac` was made of exactly these parts, here, under the current secret or the previous one. Takes any string. */
  verify(mac: string, purpose: Purpose, ...parts: string[]): boolean;
};

const KEY_BYTES = 32;

/** Kept for an isolate's life, by purpose and secret, which are bindings: deriving takes longer than signing. */
const derived = new Map<string, Buffer>();

/** The key of one purpose, by HKDF-SHA-256 (RFC 5869): the secret is random, so it needs no salt. */
export function deriveKey(secret: string, purpose: Purpose): Buffer {
  const id = `${purpose}/${secret}`;
  const key =
    derived.get(id) ?? Buffer.from(hkdfSync('sha256', secret, '', `pages-sessions/${purpose}`, KEY_BYTES));
  derived.set(id, key);
  return key;
}

/** For one request. `null` without a secret: then nothing is signed, and nothing that was signed is believed. */
export function createSigner(secrets: CookieSecrets | undefined, origin: string): Signer | null {
  if (!secrets?.current) return null;
  const { current, previous } = secrets;

  // JSON says where each part ends: no two lists of parts are the same text.
  const mac = (secret: string, purpose: Purpose, parts: string[]) =>
    createHmac('sha256', deriveKey(secret, purpose))
      .update(JSON.stringify([purpose, origin, ...parts]))
      .digest('base64url');

  return {
    sign: (purpose, ...parts) => mac(current, purpose, parts),
    verify: (given, purpose, ...parts) =>
      [current, ...(previous ? [previous] : [])].some((secret) =>
        isEqual(mac(secret, purpose, parts), given),
      ),
  };
}

/** Takes the same time wherever two strings of one length differ. */
function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
