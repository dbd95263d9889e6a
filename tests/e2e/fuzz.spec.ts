import * as fc from 'fast-check';
import * as v from 'valibot';
import { appRoutes } from './app-routes';
import { sessionCookieOf, type CookieClient } from './cookie-client';
import type { User } from './device';
import { expect, test } from './fixtures';
import { anyRequest, MARK, toRaw, type FuzzRequest, type Placeholders } from './fuzz-requests';
import { RawClient, type RawAnswer } from './raw-request';
import { headerComplaints } from './security-headers';
import { ageProof } from './session-proof';
import type { Storage } from './storage';

const AT_ONCE = 8;
/** One history of fast-check: as many requests are under way as AT_ONCE says, the others wait their turn. */
const REQUESTS_A_RUN = 32;
const TIMEOUT_MILLISECONDS = 300_000;
const REQUESTS = 5_120;
const PRINTED_CHARACTERS = 2_000;
const LEAST_PER_TARGET = 10;

test('every route and action answers whatever is sent to it: no 5xx, no markup, no hang, all headers', async ({
  baseURL,
  client,
  newUser,
  storage,
}, testInfo) => {
  test.setTimeout(TIMEOUT_MILLISECONDS);
  const origin = new URL(baseURL ?? '');
  const raw = new RawClient(origin, AT_ONCE);
  const routes = appRoutes();
  const values = await signedIn(client, newUser, storage, origin);
  const answered = new Map<string, number>();
  const statuses = new Map<number, number>();

  const seed = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
  // fast-check prints the seed and the smallest requests that fail; FUZZ_SEED=<seed> sends the same again.
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyRequest(routes), { minLength: REQUESTS_A_RUN, maxLength: REQUESTS_A_RUN, size: 'max' }),
      async (requests) => {
        const complaints = await Promise.all(
          requests.map(async (request) => {
            const answer = await raw.send(toRaw(request, values)).catch((error: unknown) => String(error));
            if (typeof answer === 'string') return [`no answer: ${answer}`];
            count(answered, target(request));
            count(statuses, answer.status);
            return complaintsOf(request, answer, origin);
          }),
        );
        expect(complaints.flat()).toEqual([]);
      },
    ),
    { numRuns: REQUESTS / REQUESTS_A_RUN, ...seed },
  );
  raw.close();

  const sent = [...answered.values()].reduce((sum, n) => sum + n, 0);
  testInfo.annotations.push({ type: 'requests', description: `${sent}, ${summary(statuses)}` });
  expect(sent).toBeGreaterThanOrEqual(REQUESTS);
  // None is forgotten: the targets come from the file tree, and each was asked.
  for (const route of routes) {
    for (const action of [null, ...route.actions]) {
      const name = target({ route: route.path, action });
      expect(answered.get(name) ?? 0, name).toBeGreaterThanOrEqual(LEAST_PER_TARGET);
    }
  }
  // It got past the doors: pages were shown, forms taken, and the run is still signed in.
  for (const status of [200, 303, 400, 403, 404, 405, 429]) {
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);
  }
  expect((await client.get('/sessions', values.LIVE)).status).toBe(200);
});

/**
 * Two users, each signed in. The live session is asked for the password before it ends others, as it last proved it an
 * hour ago, and its cookie is not sent where it would sign out, so that a run stays signed in. The fresh one may end
 * anything.
 */
async function signedIn(
  client: CookieClient,
  newUser: () => User,
  storage: Storage,
  origin: URL,
): Promise<Placeholders> {
  const signUp = async () => sessionCookieOf(await client.post('/signup', newUser())) ?? '';
  const [LIVE, FRESH] = [await signUp(), await signUp()];
  const answer = await (await client.get('/api/sessions', LIVE)).json();
  const { sessions } = v.parse(
    v.object({ sessions: v.array(v.object({ id: v.string(), current: v.boolean() })) }),
    answer,
  );
  const OWN_ID = sessions.find(({ current }) => current)?.id ?? '';
  const USER_ID = LIVE.split('.')[0] ?? '';
  await ageProof(storage, USER_ID, OWN_ID);
  return { ORIGIN: origin.origin, LIVE, FRESH, OWN_ID, USER_ID, UNKNOWN_ID: `${USER_ID}.${'A'.repeat(43)}` };
}

const AS_TAGS = new RegExp(`<(script|img)[^>]*>?${MARK}|<img[^>]*${MARK}`, 'i');
/** A value that broke out of its attribute: a handler stands in a tag, outside all quotes. The app itself has none. */
const AS_ATTRIBUTE = /<[a-z][^<>]*\sonfocus\b/i;
const QUOTED_VALUES = /="[^"]*"/g;

function hasMarkup(html: string): boolean {
  return AS_TAGS.test(html) || AS_ATTRIBUTE.test(html.replaceAll(QUOTED_VALUES, '='));
}

test('markup that comes back is noticed, and what is escaped is not', () => {
  const values = ['"', "'"].map((quote) => `${quote} onfocus=${quote}${MARK}${quote} x=${quote}`);
  const escaped = (text: string) => text.replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  expect(hasMarkup(`<input value="${values[0]}">`)).toBe(true);
  expect(hasMarkup(`<input value='${values[1]}'>`)).toBe(true);
  expect(hasMarkup(`<p><script>${MARK}</script></p>`)).toBe(true);
  expect(hasMarkup(`<p class="a"><img src=x onerror=${MARK}></p>`)).toBe(true);
  for (const value of [...values, `<script>${MARK}</script>`, `"><img src=x onerror=${MARK}>`]) {
    expect(hasMarkup(`<input name="a" value="${escaped(value)}"><p>${escaped(value)}</p>`), value).toBe(
      false,
    );
  }
});

function complaintsOf(request: FuzzRequest, answer: RawAnswer, origin: URL): string[] {
  const { status, headers, body } = answer;
  const complaints: string[] = [];
  if (status >= 500) complaints.push(`${status}: ${body.slice(0, 200)}`);
  const type = String(headers['content-type'] ?? '');
  if (!/^(application\/(problem\+)?json|text\/plain)/.test(type) && hasMarkup(body)) {
    complaints.push(`markup comes back in "${type}"`);
  }
  if ('x-fuzz' in headers) complaints.push('a line break in a value became a header');
  const { location } = headers;
  if (location !== undefined && !staysHere(location, origin)) complaints.push(`leads to ${location}`);
  // Kit takes away a trailing slash before any hook runs: an answer without a body or a cookie.
  const isKitsOwn = status === 308 && headers['x-sveltekit-normalize'] === '1';
  if (!isKitsOwn) complaints.push(...headerComplaints(headers));
  if (complaints.length === 0) return [];
  return [`${status}, ${complaints.join('; ')}, to ${JSON.stringify(request).slice(0, PRINTED_CHARACTERS)}`];
}

function staysHere(location: string, origin: URL): boolean {
  return URL.parse(location, origin)?.origin === origin.origin && !/^[/\\]{2}/.test(location);
}

function target({ route, action }: Pick<FuzzRequest, 'route' | 'action'>): string {
  return action === null ? route : `${route}?/${action}`;
}

function count<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function summary(statuses: Map<number, number>): string {
  return [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, n]) => `${status} ×${n}`)
    .join(', ');
}
