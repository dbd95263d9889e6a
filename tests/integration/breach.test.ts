import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BREACH_LIMIT_MILLISECONDS, breachLookup, isBreached } from '$lib/server/accounts/breach';

const ENDPOINT = 'https://breaches.example/range';
const PASSWORD = 'password';
/** The SHA-1 of "password" is 5BAA6 followed by this. */
const SUFFIX = '1E4C9B93F3F0682250B6CF8331B7EE68FD8';
const OTHER_SUFFIX = '0018A45C4D1DEF81644B54AB7F969B88D65';

type Answer = (request: Request) => Response | Promise<Response>;

/** A range service on this machine. It answers as told and records the requests. */
function serviceThat(answer: Answer) {
  const requests: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    requests.push(request);
    return answer(request);
  };
  return { requests, fetch, endpoint: ENDPOINT };
}

const answering = (body: string, status = 200) => serviceThat(() => new Response(body, { status }));

let logged: string[];

beforeEach(() => {
  logged = [];
  vi.spyOn(console, 'warn').mockImplementation((line: string) => void logged.push(line));
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Returns the reason in the one line that was logged. First checks that the line reveals nothing about the password. */
function loggedReason(): string {
  expect(logged).toHaveLength(1);
  const line = logged[0] ?? '';
  expect(line).not.toMatch(/5BAA6|1E4C9|"password"/i);
  const { event, reason } = JSON.parse(line) as { event: string; reason: string };
  expect(event).toBe('breach-check-skipped');
  return reason;
}

describe('the breach look-up', () => {
  it('the breach look-up finds a password that the service has seen', async () => {
    const service = answering(`${OTHER_SUFFIX}:3\r\n${SUFFIX}:10434004\r\n`);
    expect(await isBreached(PASSWORD, service)).toBe(true);
    expect(logged).toEqual([]);
  });

  it('the breach look-up sends the service five digits of the hash and a request for padding, nothing else', async () => {
    const service = answering(`${SUFFIX}:1`);
    await isBreached(PASSWORD, service);
    expect(service.requests).toHaveLength(1);
    const [request] = service.requests;
    expect(request?.url).toBe(`${ENDPOINT}/5BAA6`);
    expect(request?.method).toBe('GET');
    expect(request?.headers.get('add-padding')).toBe('true');
    expect(request?.headers.get('cookie')).toBeNull();
  });

  it('the breach endpoint may end with a slash', async () => {
    const service = answering(`${SUFFIX}:1`);
    expect(await isBreached(PASSWORD, { ...service, endpoint: `${ENDPOINT}/` })).toBe(true);
    expect(service.requests[0]?.url).toBe(`${ENDPOINT}/5BAA6`);
  });

  it.each([
    ['other hashes only', `${OTHER_SUFFIX}:3\n`],
    ['the hash as padding, with a count of 0', `${OTHER_SUFFIX}:3\r\n${SUFFIX}:0`],
    ['an empty list', ''],
  ])('a response with %s contains no breach and is not a failure', async (_, body) => {
    expect(await isBreached(PASSWORD, answering(body))).toBe(false);
    expect(logged).toEqual([]);
  });

  it('a lower-case response is read', async () => {
    expect(await isBreached(PASSWORD, answering(`${SUFFIX.toLowerCase()}:2`))).toBe(true);
  });

  it.each([500, 503, 429, 404, 302])(
    'the password is accepted if the service responds with status %i',
    async (status) => {
      expect(await isBreached(PASSWORD, answering(`${SUFFIX}:9`, status))).toBe(false);
      expect(loggedReason()).toBe(`the service answered ${status}`);
    },
  );

  it.each([
    '<!doctype html><title>Blocked</title>',
    `${SUFFIX}`,
    `${SUFFIX}:many`,
    `${SUFFIX}:9\n{"error":1}`,
  ])('the password is accepted if the response is %j', async (body) => {
    expect(await isBreached(PASSWORD, answering(body))).toBe(false);
    expect(loggedReason()).toContain('not a list');
  });

  it('the password is accepted if the service cannot be reached, and the log leaves out the address with the prefix', async () => {
    const service = serviceThat(({ url }) => {
      throw new TypeError(`fetch failed: ${url}`);
    });
    expect(await isBreached(PASSWORD, service)).toBe(false);
    expect(loggedReason()).toBe('the service could not be reached');
  });

  it.each([
    ['never answers', () => new Promise<Response>(() => {})],
    ['never ends its answer', () => new Response(new ReadableStream())],
  ])('the password is accepted after one second if the service %s', async (_, answer) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const asked = Promise.withResolvers<void>();
    const service = serviceThat(() => {
      asked.resolve();
      return answer();
    });
    let outcome: boolean | undefined;
    const looking = isBreached(PASSWORD, service).then((breached) => (outcome = breached));
    await asked.promise;
    await vi.advanceTimersByTimeAsync(BREACH_LIMIT_MILLISECONDS - 1);
    expect(outcome).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(await looking).toBe(false);
    expect(loggedReason()).toContain('1000 ms');
    expect(service.requests[0]?.signal.aborted).toBe(true);
  });

  it('the breach look-up stops when the caller aborts it', async () => {
    const caller = new AbortController();
    const service = serviceThat(() => {
      caller.abort();
      return new Promise<Response>(() => {});
    });
    expect(await isBreached(PASSWORD, { ...service, signal: caller.signal })).toBe(false);
  });
});

describe('BREACH_CHECK', () => {
  it.each([undefined, '', 'off'])('BREACH_CHECK=%j turns the check off', (setting) => {
    expect(breachLookup(setting, answering(''))).toBeNull();
    expect(logged).toEqual([]);
  });

  it('BREACH_CHECK with an address asks that address', async () => {
    const service = answering(`${SUFFIX}:9`);
    const lookup = breachLookup('https://other.example/range', service);
    expect(await lookup?.(PASSWORD)).toBe(true);
    expect(service.requests[0]?.url).toBe('https://other.example/range/5BAA6');
  });

  it.each(['on', 'http://breaches.example/range', 'https://breaches.example/?range=', 'javascript:alert(1)'])(
    'BREACH_CHECK=%j is logged as invalid and blocks nobody',
    (setting) => {
      expect(breachLookup(setting, answering(''))).toBeNull();
      expect(loggedReason()).toContain('BREACH_CHECK');
    },
  );
});
