import type { RequestEvent } from '@sveltejs/kit';
import { createAuth } from '$lib/server/auth';
import { DeviceUnproven } from '$lib/server/sessions/device-keys';
import { requestFacts } from '$lib/server/sessions/request-facts';
import { parseCookieValue } from '$lib/server/sessions/token';
import { bindings } from '$lib/server/stores/bindings';

/** The result of trying a text as a cookie. `bound`: a live token of a session that only its own device can use. */
export type Attempt = { cookie: string; outcome: 'no-form' | 'unknown' | 'bound' | 'signed-in' };

/** Matches everything with the form of a cookie inside a longer text. */
const COOKIE_LIKE = /[A-Za-z0-9_-]{1,64}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])/g;
const ATTEMPTS_MAX = 3;

/**
 * Sends a text as the session cookie through the app's own guard: first as it is, and then everything in it that looks like a cookie. The
 * guard's response sets no cookie. Each try with the form of a cookie costs as much as a stranger's request for an account page: 1 KV read
 * and 1 D1 query.
 */
export async function tryToSteal(event: RequestEvent, text: string): Promise<Attempt[]> {
  const pasted = text.trim();
  const inside = [...pasted.matchAll(COOKIE_LIKE)].map(([found]) => found);
  const cookies = [...new Set([pasted, ...inside])].filter(Boolean).slice(0, ATTEMPTS_MAX);
  return Promise.all(cookies.map(async (cookie) => ({ cookie, outcome: await present(event, cookie) })));
}

async function present(event: RequestEvent, value: string): Promise<Attempt['outcome']> {
  if (!parseCookieValue(value)) return 'no-form';
  const { request, url, platform, locals, getClientAddress } = event;
  const { name } = locals.facts.cookie;
  const cookies = { get: (asked: string) => (asked === name ? value : undefined), set: () => undefined };
  const facts = requestFacts({ request, url, cookies, platform, getClientAddress });
  const { layout, cookieSecrets, deviceBinding } = bindings(platform);
  const { current } = createAuth({ stores: locals.stores, facts, layout, cookieSecrets, deviceBinding });
  try {
    return (await current.confirm()) ? 'signed-in' : 'unknown';
  } catch (error) {
    if (error instanceof DeviceUnproven) return 'bound';
    throw error;
  }
}
