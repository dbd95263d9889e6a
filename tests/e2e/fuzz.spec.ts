import { randomInt } from 'node:crypto';
import * as fc from 'fast-check';
import * as v from 'valibot';
import { appRoutes } from './app-routes';
import { sessionCookieOf } from './cookie-client';
import { expect, test } from './fixtures';
import { anyRequest, toRaw, type FuzzRequest, type Placeholders } from './fuzz-requests';
import { MARK } from './fuzz-text';
import { RawClient, type RawAnswer } from './raw-request';
import { headerComplaints } from './security-headers';
import { ageProof } from './session-proof';

/** `npm run test:deep` sends five times as many. */
const REQUESTS = process.env.DEEP === '1' ? 5_000 : 1_000;
const AT_ONCE = 8;
/** A session that may end any session soon ends itself. After this many requests a new one is created. */
const REQUESTS_A_FRESH_SESSION = 250;
const TIMEOUT_MILLISECONDS = 600_000;
const PRINTED_CHARACTERS = 2_000;
const PRINTED_COMPLAINTS = 5;
const LEAST_PER_TARGET = 10;
const LEAST_SHOWN = REQUESTS / 500;
const SEED_BELOW = 2 ** 31;
/** Paths that respond with 200 only to a signed-in user. */
const SIGNED_IN_ONLY = ['/sessions', '/activity', '/account', '/account/data', '/kv', '/api/sessions'];

test('every route and action answers whatever is sent to it: no 5xx, no markup, no hang, all headers', async ({
  baseURL,
  client,
  newUser,
  storage,
}) => {
  test.setTimeout(TIMEOUT_MILLISECONDS);
  // FUZZ_SEED=<seed> repeats a run. Only `npm run test:deep` sends different requests each time.
  const seed = Number(process.env.FUZZ_SEED ?? (process.env.DEEP === '1' ? randomInt(SEED_BELOW) : 1));
  const origin = new URL(baseURL ?? '');
  const raw = new RawClient(origin, AT_ONCE);
  const routes = appRoutes();
  const requests = fc.sample(anyRequest(routes), { numRuns: REQUESTS, seed });

  const signUp = async () => sessionCookieOf(await client.post('/signup', newUser())) ?? '';
  // Its last proof of the password is an hour old, so ending other sessions asks for it. It is not sent where it would be signed out. So
  // the run stays signed in.
  const LIVE = await signUp();
  const OWN_ID = currentIn(await (await client.get('/api/sessions', LIVE)).json());
  const USER_ID = LIVE.split('.')[0] ?? '';
  await ageProof(storage, USER_ID, OWN_ID);
  const UNKNOWN_ID = `${USER_ID}.${'A'.repeat(43)}`;
  // A confirmation of this session, and one of a user whose session is not in the run. No page may greet that user.
  const stranger = newUser();
  const confirmationOf = async (cookie: string) => confirmationIn(await client.get('/', cookie));
  const strangers = await client.signUp(stranger);
  const values: Placeholders = {
    ORIGIN: origin.origin,
    LIVE,
    FRESH: '',
    OWN_ID,
    USER_ID,
    UNKNOWN_ID,
    CONFIRMED: await confirmationOf(LIVE),
    SWAPPED: await confirmationOf(strangers),
  };

  const answered = new Map<string, number>();
  const statuses = new Map<number, number>();
  const shown = new Map<string, number>();
  const complaints: string[] = [];
  let next = 0;
  const sender = async () => {
    for (let n = next++; n < REQUESTS; n = next++) {
      if (n % REQUESTS_A_FRESH_SESSION === 0) {
        values.FRESH = await signUp();
        values.SWAPPED = await confirmationOf(strangers);
      }
      const request = requests[n];
      if (!request) throw new Error(`[e2e] the fuzz has no request ${n}.`);
      const answer = await raw.send(toRaw(request, values)).catch(String);
      if (typeof answer === 'string') {
        complaints.push(`no answer (${answer}) to ${printed(request)}`);
        continue;
      }
      count(answered, target(request));
      count(statuses, answer.status);
      if (answer.status === 200 && request.action === null) count(shown, request.route);
      complaints.push(...complaintsOf(request, answer, origin));
      if (answer.body.includes(stranger.username)) complaints.push(`greets a stranger: ${printed(request)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sender));
  const last = await raw.send({
    method: 'GET',
    path: '/sessions',
    headers: [['cookie', `pages-session=${LIVE}`]],
  });
  raw.close();

  console.log(`Fuzz: ${REQUESTS} requests, seed ${seed}; answers ${summary(statuses)}.`);
  expect(complaints.slice(0, PRINTED_COMPLAINTS), `${complaints.length} complaints, seed ${seed}`).toEqual(
    [],
  );
  // No route is forgotten: the targets come from the file tree, and each was requested.
  for (const route of routes) {
    for (const action of [null, ...route.actions]) {
      const name = target({ route: route.path, action });
      expect(answered.get(name) ?? 0, name).toBeGreaterThanOrEqual(LEAST_PER_TARGET);
    }
  }
  // The requests were let in: each page was shown, forms were accepted, and the run is still signed in.
  for (const path of SIGNED_IN_ONLY) expect(shown.get(path) ?? 0, path).toBeGreaterThanOrEqual(LEAST_SHOWN);
  // In a short run, it is chance whether anybody is throttled.
  const met = [200, 303, 400, 403, 404, 405, ...(process.env.DEEP === '1' ? [429] : [])];
  for (const status of met) {
    expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);
  }
  expect(last.status, `the run's own session, seed ${seed}: ${JSON.stringify(last)}`).toBe(200);
});

function confirmationIn(response: Response): string {
  const cookie = response.headers.getSetCookie().find((one) => one.startsWith('confirmation='));
  const value = cookie?.split(';')[0]?.slice('confirmation='.length);
  if (!value) throw new Error('[e2e] the answer brings no confirmation.');
  return value;
}

const listing = v.object({ sessions: v.array(v.object({ id: v.string(), current: v.boolean() })) });

function currentIn(answer: unknown): string {
  return v.parse(listing, answer).sessions.find(({ current }) => current)?.id ?? '';
}

const AS_TAGS = new RegExp(`<(script|img)[^>]*>?${MARK}|<img[^>]*${MARK}`, 'i');
/** Matches a value that broke out of its attribute: a handler inside a tag and outside all quotes. The app itself has none. */
const AS_ATTRIBUTE = /<[a-z][^<>]*\sonfocus\b/i;
const QUOTED_VALUES = /="[^"]*"/g;

function hasMarkup(html: string): boolean {
  return AS_TAGS.test(html) || AS_ATTRIBUTE.test(html.replaceAll(QUOTED_VALUES, '='));
}

test('reflected markup is noticed, and escaped text is not', () => {
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
  // A look with a made-up token says that it does not know.
  const saysSo = request.method === 'HEAD' || body.includes('Not known yet');
  const isNotKnown = status === 503 && request.route === '/api/session' && saysSo;
  if (status >= 500 && !isNotKnown) complaints.push(`${status}: ${body.slice(0, 200)}`);
  const type = String(headers['content-type'] ?? '');
  if (!/^(application\/(problem\+)?json|text\/plain)/.test(type) && hasMarkup(body)) {
    complaints.push(`markup comes back in "${type}"`);
  }
  if ('x-fuzz' in headers) complaints.push('a line break in a value became a header');
  const { location } = headers;
  if (location !== undefined && !staysHere(location, origin)) complaints.push(`leads to ${location}`);
  complaints.push(...headerComplaints(headers));
  return complaints.length === 0 ? [] : [`${status}, ${complaints.join('; ')}, to ${printed(request)}`];
}

function printed(request: FuzzRequest): string {
  return JSON.stringify(request).slice(0, PRINTED_CHARACTERS);
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
