import { randomUUID } from 'node:crypto';
import { expect, test as base } from '@playwright/test';
import { CookieClient } from '../e2e/cookie-client';
import { CloudflareApi } from './cloudflare-api';
import { Fork } from './fork';

/**
 * `npm run deploy` from a clone to a live site, against a local copy of Cloudflare's API. Everything else is real: wrangler, the built
 * worker in workerd, KV, SQLite, git.
 */
export const test = base.extend<{ api: CloudflareApi; fork: Fork }>({
  api: async ({}, use) => {
    const api = await CloudflareApi.start();
    await use(api);
    await api.stop();
  },
  fork: async ({}, use) => {
    const fork = new Fork();
    await use(fork);
    fork.remove();
  },
});

/** Enough for about twenty wrangler commands of a second or two each. */
export const TEST_MILLISECONDS = 600_000;

export const ACCOUNT = '/accounts/*';
export const PROJECT = `${ACCOUNT}/pages/projects/*`;
export const WORKER = `${ACCOUNT}/workers/scripts/*`;
export const QUERY = `POST ${ACCOUNT}/d1/database/*/query`;

/** Signs up at a deployment, signs in on another device, and expects both sessions in the list. */
export async function signIn({ origin }: URL): Promise<void> {
  const visitor = new CookieClient(origin);
  const user = { username: `user-${randomUUID()}`, password: `password ${randomUUID()}` };
  expect((await visitor.post('/signup', user)).status).toBe(303);
  const cookie = await visitor.signIn(user);
  const page = await visitor.get('/sessions', cookie);
  expect(page.status).toBe(200);
  expect((await page.text()).match(/data-session-id/g)).toHaveLength(2);
}

/** Returns the calls from `start` on that changed something. */
export function changesIn(api: CloudflareApi, start = 0): Set<string> {
  return new Set(api.calls.slice(start).filter((kind) => !kind.startsWith('GET ')));
}
