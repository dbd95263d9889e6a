import * as v from 'valibot';
import type { User } from './device';

/** The cookie's name over plain http on loopback. */
export const SESSION_COOKIE = 'pages-session';

const listing = v.object({ sessions: v.array(v.object({ id: v.string(), current: v.boolean() })) });

/** Sends single requests as somebody with a session cookie would, without a browser: no cookie jar, and no redirect is followed. */
export class CookieClient {
  constructor(private readonly origin: string) {}

  get(path: string, cookie: string): Promise<Response> {
    return this.send('GET', path, cookie);
  }

  delete(path: string, cookie: string): Promise<Response> {
    return this.send('DELETE', path, cookie);
  }

  /** Posts a form as a page of the site does without scripts. */
  post(path: string, form: Record<string, string>, cookie?: string): Promise<Response> {
    return this.send('POST', path, cookie, new URLSearchParams(form));
  }

  /** Signs in on a separate device and returns its cookie's value. */
  async signIn({ username, password }: User): Promise<string> {
    return this.cookieAfter('/login', { username, password });
  }

  async signUp({ username, password }: User): Promise<string> {
    return this.cookieAfter('/signup', { username, password });
  }

  /** Returns the ids of the sessions that the API lists for a cookie's owner, the cookie's own session first. */
  async sessionIds(cookie: string): Promise<string[]> {
    const { sessions } = v.parse(listing, await (await this.get('/api/sessions', cookie)).json());
    return sessions.toSorted((a, b) => Number(b.current) - Number(a.current)).map(({ id }) => id);
  }

  /** Posts a form whose response must set a session cookie, and returns that cookie. */
  async cookieAfter(path: string, form: Record<string, string>, cookie?: string): Promise<string> {
    const response = await this.post(path, form, cookie);
    const value = sessionCookieOf(response);
    if (!value) throw new Error(`[e2e] ${path} answered ${response.status} and no session cookie.`);
    return value;
  }

  private send(
    method: string,
    path: string,
    cookie: string | undefined,
    body?: URLSearchParams,
  ): Promise<Response> {
    const headers: Record<string, string> = { origin: this.origin, accept: 'text/html' };
    if (cookie !== undefined) headers.cookie = `${SESSION_COOKIE}=${cookie}`;
    return fetch(new URL(path, this.origin), { method, headers, redirect: 'manual', ...(body && { body }) });
  }
}

/** Returns the value of the session cookie that a response sets, or null if it sets none. */
export function sessionCookieOf(response: Response): string | null {
  const header = response.headers.getSetCookie().find((cookie) => cookie.startsWith(`${SESSION_COOKIE}=`));
  return header?.split(';')[0]?.slice(SESSION_COOKIE.length + 1) || null;
}
