/** What a response must not reveal: which names exist, and which session ids are in use. Checked by result, work and time. */
import { isActionFailure } from '@sveltejs/kit';
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Cost } from '$lib/cost';
import { scryptPasswordHash, type PasswordHash } from '$lib/server/accounts/password';
import { actions } from '../../src/routes/(account)/sessions/+page.server';
import { DELETE } from '../../src/routes/api/sessions/[id]/+server';
import { Browser } from '../setup/browser';
import { requireSession, signIn, signUp } from '../setup/requests';

const PASSWORD = 'correct horse battery';
const WRONG = 'a password that is not it';
const TIMED_TRIES = 15;
/** Far more than the same work varies within a run, and far less than the difference if the key derivation is skipped. */
const MEDIANS_DIFFER_AT_MOST = 2;

const stores = { kv: env.SESSIONS, db: env.DB, layout: 'owner' as const };
let username: string;
let owner: Browser;

beforeEach(async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  owner = new Browser();
  await signUp(owner.request({ ...stores, method: 'POST' }), username, PASSWORD);
});

afterEach(() => void vi.restoreAllMocks());

type Tried = { outcome: unknown; cost: Cost; derivations: string[]; milliseconds: number };

/** Signs in once from a browser that was never here. Returns the result and its cost. */
async function trySignIn(name: string, password: string, passwordHash = scryptPasswordHash): Promise<Tried> {
  const validate = vi.fn(passwordHash.validate);
  const counted: PasswordHash = { ...passwordHash, validate };
  const event = new Browser().request({ ...stores, method: 'POST', passwordHash: counted });
  const startedAt = performance.now();
  const outcome = await signIn(event, name, password);
  const milliseconds = performance.now() - startedAt;
  const cost = event.locals.stores.meter.cost();
  return { outcome, cost, milliseconds, derivations: validate.mock.calls.map(([, hash]) => shapeOf(hash)) };
}

/** Returns the parts of a hash that determine how long a comparison takes: its form and its lengths. */
function shapeOf(hash: string): string {
  return hash.replace(/[^:]/g, 'x').replace(/^xx:/, `${hash.slice(0, 2)}:`);
}

const unknownName = () => `nobody-${crypto.randomUUID().slice(0, 8)}`;
const forgetFailures = () => env.DB.prepare('DELETE FROM SignInThrottle').run();

describe('signing in with an unknown name', () => {
  it('signing in with an unknown name gets the same response as a wrong password, with the same store operations', async () => {
    const wrong = await trySignIn(username, WRONG);
    const unknown = await trySignIn(unknownName(), WRONG);
    expect(wrong.outcome).toBe('refused');
    expect(unknown.outcome).toBe(wrong.outcome);
    expect(wrong.cost.d1Queries).toBeGreaterThan(1);
    expect(unknown.cost).toEqual(wrong.cost);
  });

  it('signing in with an unknown name derives a key once, as a wrong password does, from a hash of the same form', async () => {
    const wrong = await trySignIn(username, WRONG);
    const unknown = await trySignIn(unknownName(), WRONG);
    expect(wrong.derivations).toHaveLength(1);
    expect(wrong.derivations[0]).toMatch(/^s2:x{16}:x{128}$/);
    expect(unknown.derivations).toEqual(wrong.derivations);
  });

  it('signing in with an unknown name takes about as long as with a wrong password', async () => {
    const times: Record<'wrong' | 'unknown', number[]> = { wrong: [], unknown: [] };
    // Alternating, so that whatever else the machine does affects both.
    for (let n = 0; n < TIMED_TRIES; n += 1) {
      times.wrong.push((await trySignIn(username, WRONG)).milliseconds);
      times.unknown.push((await trySignIn(unknownName(), WRONG)).milliseconds);
      await forgetFailures();
    }
    const ratio = median(times.unknown) / median(times.wrong);
    expect(median(times.wrong)).toBeGreaterThan(0);
    expect(ratio).toBeGreaterThan(1 / MEDIANS_DIFFER_AT_MOST);
    expect(ratio).toBeLessThan(MEDIANS_DIFFER_AT_MOST);
  });

  it('the bound would catch a sign-in that skips the derivation', async () => {
    const atOnce: PasswordHash = { ...scryptPasswordHash, validate: () => Promise.resolve(false) };
    const times: Record<'wrong' | 'unknown', number[]> = { wrong: [], unknown: [] };
    for (let n = 0; n < TIMED_TRIES; n += 1) {
      times.wrong.push((await trySignIn(username, WRONG)).milliseconds);
      times.unknown.push((await trySignIn(unknownName(), WRONG, atOnce)).milliseconds);
      await forgetFailures();
    }
    expect(median(times.unknown) / median(times.wrong)).toBeLessThan(1 / MEDIANS_DIFFER_AT_MOST);
  });
});

describe("somebody else's session id", () => {
  let theirs: string;
  let unknown: string;

  beforeEach(async () => {
    const other = new Browser();
    await signUp(other.request({ ...stores, method: 'POST' }), `${username}-bob`, PASSWORD);
    theirs = (await requireSession(other.request(stores))).sessionId;
    const { userId } = (await requireSession(owner.request(stores))).user;
    unknown = `${userId}.${'A'.repeat(43)}`;
  });

  it('another user’s session id gets the response of an unknown one from the action', async () => {
    const answers = [await revokeByAction(theirs), await revokeByAction(unknown)];
    expect(answers[0]).toMatchObject({ status: 404 });
    expect(answers[1]).toEqual(answers[0]);
  });

  it('another user’s session id gets the response of an unknown one from the API', async () => {
    const answers = [await revokeByApi(theirs), await revokeByApi(unknown)];
    expect(answers[0]).toMatchObject({ status: 404 });
    expect(answers[1]).toEqual(answers[0]);
  });

  it('another user’s session id gets the response of an unknown one when it is renamed', async () => {
    const answers = [await renameByAction(theirs), await renameByAction(unknown)];
    expect(answers[0]).toMatchObject({ status: 404 });
    expect(answers[1]).toEqual(answers[0]);
  });

  const revokeByAction = (sessionId: string) => callAction(actions.revoke, { sessionId });
  const renameByAction = (sessionId: string) => callAction(actions.rename, { sessionId, name: 'mine now' });

  async function callAction(action: (event: never) => Promise<unknown>, form: Record<string, string>) {
    const result = await action(eventOf(form) as never);
    if (!isActionFailure(result)) throw new Error('the action took an id that is not in the list');
    return { status: result.status, data: result.data };
  }

  async function revokeByApi(id: string) {
    const response = await DELETE(eventOf({}, { id }) as never);
    return {
      status: response.status,
      headers: [...response.headers],
      body: await response.text(),
    };
  }

  /** Returns the owner's request as Kit would pass it to a route. Everything that these routes read is here. */
  function eventOf(form: Record<string, string>, params: Record<string, string> = {}) {
    const event = owner.request({ ...stores, method: 'POST' });
    const request = new Request(event.request, { method: 'POST', body: new URLSearchParams(form) });
    return { ...event, request, params, setHeaders: () => undefined };
  }
});

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
