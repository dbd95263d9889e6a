import { createAuth, type AuthOptions } from '$lib/server/auth';
import { requestFacts, type RequestLike } from '$lib/server/sessions/request-facts';
import { guardStores } from '$lib/server/stores/guarded';

const ORIGIN = 'https://sessions.example';
export const SESSION_COOKIE = '__Host-session';
export const CONFIRMATION_COOKIE = '__Host-confirmation';

export type RequestOptions = Omit<AuthOptions, 'stores' | 'facts'> & {
  kv: KVNamespace;
  db: D1Database;
  path?: string;
  method?: 'GET' | 'POST';
  address?: string;
};

type Jar = Map<string, { value: string; expires: number }>;
export type TestEvent = RequestLike & { locals: Pick<App.Locals, 'stores' | 'facts' | 'auth'> };

/** A browser: a cookie jar, and requests that reach the app's own modules as SvelteKit would pass them. */
export class Browser {
  private readonly jar: Jar = new Map();
  private readonly background: Promise<unknown>[] = [];

  constructor(
    private readonly userAgent = 'Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36',
    /** Its client hints and its place. In the deployed worker, no request can set the place by a header. */
    private readonly from: { hints?: Record<string, string>; cf?: { country?: string; city?: string } } = {},
  ) {}

  /** Returns the event of a new request of this browser, with its current cookies. The response's cookies are kept. */
  request(options: RequestOptions): TestEvent {
    return this.send(options, this.jar);
  }

  /** Like `request`, but the response is lost unless `receive` is called, as in a crash that sets no cookie. */
  requestUnanswered(options: RequestOptions): {
    event: TestEvent;
    receive: () => void;
    received: () => string | undefined;
  } {
    const answer: Jar = new Map();
    return {
      event: this.send(options, answer),
      receive: () => answer.forEach((cookie, name) => this.jar.set(name, cookie)),
      /** The session cookie that the response sets, if any. */
      received: () => answer.get(SESSION_COOKIE)?.value || undefined,
    };
  }

  private send(
    { path = '/sessions', method = 'GET', address = '127.0.0.1', kv, db, ...options }: RequestOptions,
    answer: Jar,
  ): TestEvent {
    const url = new URL(path, ORIGIN);
    const event = {
      url,
      request: new Request(url, {
        method,
        headers: { ...this.from.hints, 'user-agent': this.userAgent, origin: ORIGIN },
      }),
      cookies: {
        get: (name: string) => this.read(name, answer),
        set: (name: string, value: string, { expires, maxAge }: { expires?: Date; maxAge?: number } = {}) => {
          const end = maxAge === undefined ? expires?.getTime() : Date.now() + maxAge * 1_000;
          answer.set(name, { value, expires: end ?? Infinity });
        },
      },
      // Loopback has no throttle of its own.
      getClientAddress: () => address,
      platform: {
        cf: this.from.cf ?? { country: 'DE', city: 'Berlin' },
        ctx: { waitUntil: (promise: Promise<unknown>) => void this.background.push(promise) },
      },
    };
    const stores = guardStores(kv, db);
    const facts = requestFacts(event);
    return { ...event, locals: { stores, facts, auth: createAuth({ ...options, stores, facts }) } };
  }

  /** Waits for the background work of the responses (`waitUntil`). */
  async settle(): Promise<void> {
    await Promise.allSettled(this.background.splice(0));
  }

  /** The session cookie as it would be sent now. */
  get cookie(): string | undefined {
    return this.read(SESSION_COOKIE);
  }

  get cookieExpires(): number | undefined {
    return this.jar.get(SESSION_COOKIE)?.expires;
  }

  /** The confirmation as it would be sent now. */
  get confirmation(): string | undefined {
    return this.read(CONFIRMATION_COOKIE);
  }

  /** A cookie as it would be sent now. */
  cookieNamed(name: string): string | undefined {
    return this.read(name);
  }

  /** Plants a cookie, as somebody who copied it would. It does not expire. */
  plant(value: string, name = SESSION_COOKIE): this {
    this.jar.set(name, { value, expires: Infinity });
    return this;
  }

  /** Removes a cookie. */
  lose(name: string): this {
    this.jar.delete(name);
    return this;
  }

  private read(name: string, answer: Jar = this.jar): string | undefined {
    const cookie = answer.get(name) ?? this.jar.get(name);
    return cookie && cookie.value !== '' && cookie.expires > Date.now() ? cookie.value : undefined;
  }
}
