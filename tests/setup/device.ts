/**
 * A device of a browser with Device Bound Session Credentials: a key that signs the server's challenges, and the two requests that send the
 * signed proofs. It builds its JWTs itself, so that it can also build wrong ones.
 */
import { POST as postBind } from '../../src/routes/session/bind/+server';
import { POST as postRefresh } from '../../src/routes/session/refresh/+server';
import type { Browser, RequestOptions } from './browser';

export const BOUND_COOKIE = '__Host-bound';
const ORIGIN = 'https://sessions.example';
const ECDSA = { name: 'ECDSA', hash: 'SHA-256' };

type Forgery = {
  header?: object;
  payload?: object;
  signature?: (input: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>;
};

export class Device {
  private constructor(
    readonly keys: CryptoKeyPair,
    readonly jwk: JsonWebKey,
    readonly privateJwk: JsonWebKey,
  ) {}

  static async make(namedCurve = 'P-256'): Promise<Device> {
    const made = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
    if (!('privateKey' in made)) throw new Error('one key for two');
    const [jwk, privateJwk] = await Promise.all(
      [made.publicKey, made.privateKey].map((key) => exportJwk(key)),
    );
    if (!jwk || !privateJwk) throw new Error('two keys were exported');
    return new Device(made, { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }, privateJwk);
  }

  /** Returns the proof for a registration, which contains the device's public key. */
  registration(challenge: string, forged: Forgery = {}): Promise<string> {
    return this.proof(challenge, { ...forged, header: { jwk: this.jwk, ...forged.header } });
  }

  /** Returns the proof for a refresh: the signed challenge. `forged` replaces parts of it. */
  async proof(challenge: string, { header, payload, signature }: Forgery = {}): Promise<string> {
    const head = { alg: 'ES256', typ: 'dbsc+jwt', ...header };
    const input = `${base64(head)}.${base64({ jti: challenge, ...payload })}`;
    const bytes = new TextEncoder().encode(input);
    const signed = await (signature ?? ((data) => crypto.subtle.sign(ECDSA, this.keys.privateKey, data)))(
      bytes,
    );
    return `${input}.${Buffer.from(signed).toString('base64url')}`;
  }
}

async function exportJwk(key: CryptoKey): Promise<JsonWebKey> {
  const jwk = await crypto.subtle.exportKey('jwk', key);
  if (jwk instanceof ArrayBuffer) throw new Error('bytes for a JWK');
  return jwk;
}

function base64(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

export type Answer = { status: number; body: Record<string, unknown>; challenge: string | null };

/** The browser accepts an offer to bind its session, with this proof. */
export function sendBind(browser: Browser, options: RequestOptions, proof: string | null): Promise<Answer> {
  return send(browser, { ...options, path: '/session/bind' }, postBind, {
    ...(proof !== null && { 'secure-session-response': proof }),
  });
}

/** The browser requests the next bound cookie. */
export function sendRefresh(
  browser: Browser,
  options: RequestOptions,
  bindingId: string,
  proof?: string,
): Promise<Answer> {
  return send(browser, { ...options, path: '/session/refresh' }, postRefresh, {
    'sec-secure-session-id': bindingId,
    ...(proof && { 'secure-session-response': proof }),
  });
}

async function send(
  browser: Browser,
  options: RequestOptions,
  post: (event: never) => Promise<Response>,
  headers: Record<string, string>,
): Promise<Answer> {
  const event = browser.request({ ...options, method: 'POST' });
  const request = new Request(new URL(options.path ?? '/', ORIGIN), {
    method: 'POST',
    headers: { origin: ORIGIN, ...headers },
  });
  // The only cast: the event has what the routes read, and SvelteKit's type has more.
  const response = await post({ ...event, request, locals: event.locals } as never);
  const text = await response.text();
  const body: Record<string, unknown> = text === '' ? {} : JSON.parse(text);
  const challenge = /^"([^"]+)";id="/.exec(response.headers.get('secure-session-challenge') ?? '')?.[1];
  return { status: response.status, body, challenge: challenge ?? null };
}

/** Binds the browser's session with the offer from a response. Returns the binding's id. */
export async function bindWith(
  browser: Browser,
  options: RequestOptions,
  device: Device,
  challenge: string | null,
): Promise<string> {
  if (challenge === null) throw new Error('nothing was offered');
  const { status, body } = await sendBind(browser, options, await device.registration(challenge));
  if (status !== 200) throw new Error(`not bound: ${status}`);
  return String(body.session_identifier);
}

/** A whole refresh, as the browser does it: a challenge, and then the proof. */
export async function refreshWith(
  browser: Browser,
  options: RequestOptions,
  device: Device,
  bindingId: string,
) {
  const asked = await sendRefresh(browser, options, bindingId);
  if (asked.challenge === null) return asked;
  return sendRefresh(browser, options, bindingId, await device.proof(asked.challenge));
}
