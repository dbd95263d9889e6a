import type { Page, Route } from '@playwright/test';

type Fulfilment = NonNullable<Parameters<Route['fulfill']>[0]>;

/** A response that a test gives instead of the server. `none` breaks the connection. */
export type Given = Fulfilment | 'none';

/** Responses in place of the app's: from the network, the platform, an edge or a portal, and the app's own when a store is down. */
export const FAILURES: Record<string, Given> = {
  'no network': 'none',
  'a platform page, 503': {
    status: 503,
    contentType: 'text/html',
    body: '<h1>Error 1102: Worker exceeded</h1>',
  },
  'a portal, 200': { status: 200, contentType: 'text/html', body: '<h1>Welcome to our network</h1>' },
  'a firewall, 403': { status: 403, contentType: 'text/html', body: '<h1>Sorry, you have been blocked</h1>' },
  'an edge, 429': { status: 429, contentType: 'text/plain', body: 'error code: 1015' },
  'a gateway, 502': { status: 502, contentType: 'application/json', body: '{"success":false,"errors":[]}' },
  'a proxy, 401': { status: 401, contentType: 'text/html', body: 'Authorization Required' },
  'nothing, 200': { status: 200, contentType: 'application/json', body: '' },
  'null, 200': { status: 200, contentType: 'application/json', body: 'null' },
};

/** Answers requests instead of the server until the returned function is called. `count` is the number of requests so far. */
export async function answerWith(page: Page, url: string | RegExp, given: Given, method?: 'GET' | 'POST') {
  const seen = { count: 0 };
  const handler = async (route: Route) => {
    if (method && route.request().method() !== method) return route.fallback();
    seen.count += 1;
    await (given === 'none' ? route.abort() : route.fulfill(given));
  };
  await page.route(url, handler);
  return Object.assign(seen, { stop: () => page.unroute(url, handler) });
}

export const LOOK = '**/api/session';
export const DATA = /__data\.json/;

/** Moves the clock by the minute after which an open tab looks. Call `page.clock.install()` before the page loads. */
export async function lookAgain(page: Page): Promise<void> {
  const answered = page.waitForEvent('requestfinished', isLook);
  const failed = page.waitForEvent('requestfailed', isLook);
  await page.clock.fastForward(61_000);
  await Promise.race([answered, failed]);
  answered.catch(() => undefined);
  failed.catch(() => undefined);
}

const isLook = (request: { url(): string }) => request.url().endsWith('/api/session');
