/** How an open page interprets a response to `GET /api/session`. Only the app's own response may end the page. */
import { expect, it } from 'vitest';
import { judge } from '$lib/client/look';

const answer = (status: number, type: string, body: unknown) =>
  new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { 'content-type': type },
  });
const JSON_TYPE = 'application/json';
const PROBLEM = 'application/problem+json';
const device = { browser: 'Firefox 146', system: 'Windows', kind: 'desktop' };
const unknown = { kind: 'unknown' };
const ended = (by: string | null, at: number | null) => ({ kind: 'ended', end: { by, at } });

it.each([
  [200, JSON_TYPE, { username: 'ada', userId: 'x', until: 1 }, { kind: 'signed-in', username: 'ada' }],
  [401, PROBLEM, { status: 401 }, ended(null, null)],
  [401, PROBLEM, { ended: { type: 'all-revoked', device, at: 5 } }, ended('from Firefox 146 on Windows', 5)],
  [
    401,
    PROBLEM,
    { ended: { type: 'ended-by-operator', device, at: 5 } },
    ended('by the operator of this site', 5),
  ],
  [401, PROBLEM, { ended: { type: 'session-revoked', device: 'x', at: 5 } }, ended(null, null)],
  [409, PROBLEM, { status: 409 }, { kind: 'replaced' }],
  [403, PROBLEM, { status: 403 }, unknown],
  [503, PROBLEM, { status: 503 }, unknown],
  [200, 'text/html', '<h1>Welcome to our network</h1>', unknown],
  [200, JSON_TYPE, {}, unknown],
  [200, JSON_TYPE, 'null', unknown],
  [200, JSON_TYPE, '', unknown],
  [401, 'text/html', 'Authorization required', unknown],
  [401, JSON_TYPE, { error: 'unauthorized' }, unknown],
  [409, JSON_TYPE, { error: 'conflict' }, unknown],
])('%i %s %j', async (status, type, body, expected) => {
  expect(await judge(answer(status, type, body))).toEqual(expected);
});
