import type { Origin } from './activity';
import { deviceOf } from './device';
import { isLoopback } from './loopback';
import { placeOf } from './place';
import { parseCookieValue, type PresentedSession } from './token';

type CookieOptions = {
  path: string;
  httpOnly?: boolean;
  secure?: boolean;
  sameSite?: 'lax';
  maxAge?: number;
  expires?: Date;
};

/** Reads the cookies of a request and sets those of its response. SvelteKit's `cookies` fits. */
export type CookieJar = {
  get(name: string): string | undefined;
  set(name: string, value: string, options: CookieOptions): void;
};

/** The parts of a request event that the server code reads. SvelteKit's event fits. */
export type RequestLike = {
  request: Request;
  url: URL;
  cookies: CookieJar;
  getClientAddress(): string;
  platform?: Readonly<{
    cf?: { country?: unknown; city?: unknown };
    ctx?: { waitUntil(promise: Promise<unknown>): void };
  }>;
};

/** The facts of one request. Nothing here is looked up in a store. */
export type RequestFacts = {
  request: Request;
  cookies: CookieJar;
  /** The session cookie's name, and whether cookies are Secure here. */
  cookie: { name: string; secure: boolean };
  /** The requested URL, with the scheme that the browser used. */
  url: URL;
  /** What the session cookie claims. Only its form has been checked. */
  presented: PresentedSession | null;
  /** The device and place that the request comes from. */
  readonly origin: Origin;
  /** The client's address. Use it for counting; never store it. */
  readonly address: string;
  /** Lets work outlive the response. */
  waitUntil(work: Promise<unknown>): void;
};

export function requestFacts(event: RequestLike): RequestFacts {
  const { request, url, cookies, platform } = event;
  const cookie = sessionCookieFor(url);
  let origin: Origin | undefined;
  return {
    request,
    cookies,
    cookie,
    url,
    presented: parseCookieValue(cookies.get(cookie.name)),
    get origin() {
      return (origin ??= { device: deviceOf(request.headers), place: placeOf(platform?.cf, url) });
    },
    get address() {
      return event.getClientAddress();
    },
    waitUntil: (work) => platform?.ctx?.waitUntil(work),
  };
}

/**
 * `__Host-` requires Secure, and WebKit drops Secure cookies on plain http, even on localhost. There the cookie is called `pages-session`,
 * because other apps on localhost may have a `session` of their own.
 */
function sessionCookieFor(url: URL): { name: string; secure: boolean } {
  const plainLocal = url.protocol === 'http:' && isLoopback(url);
  return plainLocal ? { name: 'pages-session', secure: false } : { name: '__Host-session', secure: true };
}
