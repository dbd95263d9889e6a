import type { CookieJar } from '../sessions/request-facts';

export type RequestCookies = CookieJar & {
  /** Returns the pending `Set-Cookie` values and clears them. */
  takeSetCookies(): string[];
};

/** The cookies of a `Request` and of its response, without a framework. Values are plain characters and are not encoded. */
export function cookiesOf(request: Request): RequestCookies {
  const values = new Map<string, string>();
  for (const pair of (request.headers.get('cookie') ?? '').split(';')) {
    const [, name, value] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(pair) ?? [];
    if (name && value !== undefined && !values.has(name)) values.set(name, value);
  }
  const due = new Map<string, string>();

  return {
    get: (name) => values.get(name),

    set(name, value, { path, httpOnly, secure, sameSite, maxAge, expires }) {
      values.set(name, value);
      const attributes = [
        `Path=${path}`,
        maxAge !== undefined && `Max-Age=${maxAge}`,
        expires && `Expires=${expires.toUTCString()}`,
        httpOnly && 'HttpOnly',
        secure && 'Secure',
        sameSite && 'SameSite=Lax',
      ];
      due.set(name, [`${name}=${value}`, ...attributes.filter(Boolean)].join('; '));
    },

    takeSetCookies() {
      const all = [...due.values()];
      due.clear();
      return all;
    },
  };
}
