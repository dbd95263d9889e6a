/** Compares what an error says about the requested change with what the stores contain afterwards. */
import { isHttpError } from '@sveltejs/kit';
import { env } from 'cloudflare:workers';
import { expect } from 'vitest';
import { claims } from '$lib/words/claims';
import type { Browser } from '../setup/browser';
import { confirmSession } from '../setup/requests';
import type { Step } from '../simulation/steps';
import { sessionIdOf, storesWith, type Scene } from './routes';

/** What a user would notice of a scene: the account, the sessions, the activity. Counts of attempts are not included. */
export type Held = {
  users: number;
  hash: unknown;
  epoch: unknown;
  ended: Record<string, unknown>;
  events: unknown[];
  records: Record<string, unknown>;
};

export type Ids = { userId: string; username: string; laptop: string; phone: string };

export function idsOf({ username, laptop, phone }: Scene): Ids {
  const id = sessionIdOf(laptop);
  return { username, userId: id.split('.')[0] ?? '', laptop: id, phone: sessionIdOf(phone) };
}

export async function whatStoresHold({ userId, username }: Ids): Promise<Held> {
  const ask = (sql: string, ...values: string[]) => env.DB.prepare(sql).bind(...values);
  const [results, { keys }] = await Promise.all([
    env.DB.batch<Record<string, unknown>>([
      ask('SELECT count(*) AS it FROM User'),
      ask('SELECT hashed_password AS it FROM Key WHERE id = ?', `username:${username}`),
      ask('SELECT session_epoch AS it FROM User WHERE id = ?', userId),
      ask('SELECT id, reason FROM RevokedSession WHERE user_id = ?', userId),
      ask('SELECT type, session_id FROM SecurityEvent WHERE user_id = ? ORDER BY id', userId),
    ]),
    env.SESSIONS.list({ prefix: `session:${userId}.` }),
  ]);
  const [users, key, user, ended, events] = results.map((one) => one.results);
  return {
    users: Number(users?.[0]?.it),
    hash: key?.[0]?.it ?? null,
    epoch: user?.[0]?.it ?? null,
    ended: Object.fromEntries((ended ?? []).map(({ id, reason }) => [String(id), reason])),
    events: events ?? [],
    records: Object.fromEntries(keys.map(({ name, metadata }) => [name, metadata])),
  };
}

type Told = keyof typeof claims.done;

/** How the stores show that something was done. */
const HAPPENED: Record<Told, (before: Held, after: Held, ids: Ids) => boolean> = {
  'sign-up': (before, after) => after.users === before.users + 1,
  'sign-in': (before, after) => after.events.length === before.events.length + 1,
  'sign-out': (_, after, { laptop }) => after.ended[laptop] === 'signed-out',
  'end-one': (_, after, { phone }) => after.ended[phone] === 'revoked',
  'end-some': (_, after, { phone }) => after.ended[phone] === 'revoked',
  'answer-moves': (before, after) => after.events.length === before.events.length + 1,
  'end-others': (before, after) => after.epoch !== before.epoch,
  'end-all': (before, after) => after.epoch !== before.epoch,
  'change-password': (before, after) => after.hash !== before.hash && after.epoch !== before.epoch,
  'step-up': (_, after, { laptop }) => after.ended[laptop] === 'replaced',
  'delete-account': (_, after) => after.epoch === null,
  'failed-try': () => true,
  rename: (_, after, { phone }) => JSON.stringify(after.records[`session:${phone}`]).includes('"name"'),
};

/** The ledger's writes that users are told about. */
const TELLS = /INSERT INTO (User|RevokedSession|SecurityEvent)|UPDATE (User|Key)|DELETE FROM User/;

/** Returns the sentences of an error, or `null` if the response is not an error. */
export async function textOf(outcome: unknown): Promise<string | null> {
  if (isHttpError(outcome)) return outcome.body.claim?.text ?? '';
  if (!outcome || typeof outcome !== 'object' || !('returned' in outcome)) return null;
  const { returned } = outcome;
  if (!(returned instanceof Response) || returned.ok) return null;
  const { detail } = await returned.clone().json<{ detail?: string }>();
  return detail ?? null;
}

/** Throws if the stores contradict a sentence. `step` is the step that failed. */
export async function expectTrue(
  text: string,
  { before, after, ids, browser, step, said }: Compared,
): Promise<void> {
  const told = Object.keys(claims.done) as Told[];
  const unknown = told.filter((name) => text.includes(claims.unknown[name]));
  const done = told.filter((name) => !unknown.includes(name) && text.includes(claims.done[name]));
  const nothing = text.includes(claims.nothing);
  expect(nothing || done.length > 0 || unknown.length > 0, `${said}: says something: ${text}`).toBe(true);
  if (nothing) expect(after, `${said}: nothing is nothing`).toEqual(before);
  for (const name of done) {
    expect(HAPPENED[name](before, after, ids), `${said}: ${claims.done[name]}`).toBe(true);
  }
  // The error must say what can be known. A failed read leaves nothing uncertain except a name, which is confirmed by a read.
  if (unknown.some((name) => name !== 'rename')) expect(step.op, said).toMatch(TELLS);
  if (text.includes(claims.signInHere)) {
    expect(await confirmSession(browser.request(storesWith({}))), said).toBeNull();
  } else if (
    done.some((name) => ['end-others', 'change-password', 'end-one', 'end-some', 'rename'].includes(name))
  ) {
    expect(await confirmSession(browser.request(storesWith({}))), said).not.toBeNull();
  }
}

type Compared = { before: Held; after: Held; ids: Ids; browser: Browser; step: Step; said: string };
