import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Cookies } from '@sveltejs/kit';
import { DEVICE_COOKIE_SECONDS } from './policy';

/**
 * A signed cookie that says "this browser signed in to this account before". Guessing by strangers then does not lock
 * the owner's browser out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). It signs nobody in.
 */
export type DeviceCookie = ReturnType<typeof createDeviceCookie>;

// <nonce>.<signature over the username and the nonce>: the cookie itself names nobody.
const FORM = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;
const NONCE_BYTES = 16;

/** Without a secret no browser is known, and none is told that it is. */
export function createDeviceCookie(
  cookies: Pick<Cookies, 'get' | 'set'>,
  secure: boolean,
  secret: string | undefined,
) {
  const name = secure ? '__Host-device' : 'device';
  const sign = (username: string, nonce: string) =>
    createHmac('sha256', secret ?? '')
      .update(`device:${nonce}:${username}`)
      .digest('base64url');

  return {
    /** The name of this browser among the account's own, or `null` if it is not one of them. */
    knownFor(username: string): string | null {
      const [, nonce, signature] = FORM.exec(cookies.get(name) ?? '') ?? [];
      if (!secret || !nonce || !signature) return null;
      return timingSafeEqual(Buffer.from(sign(username, nonce)), Buffer.from(signature)) ? nonce : null;
    },

    /** Makes this browser one of the account's own for a year. */
    remember(username: string): void {
      if (!secret) return;
      const nonce = randomBytes(NONCE_BYTES).toString('base64url');
      cookies.set(name, `${nonce}.${sign(username, nonce)}`, {
        path: '/',
        httpOnly: true,
        sameSite: 'lax',
        secure,
        maxAge: DEVICE_COOKIE_SECONDS,
      });
    },
  };
}
