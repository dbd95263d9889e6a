import * as v from 'valibot';
import type { CookieJar } from '$lib/server/sessions/request-facts';
import type { Signer } from '$lib/server/sessions/signer';
import { RACE_MILLISECONDS, recordsSchema } from './late-kv';

const COOKIE = 'race-kv';
/** A browser stores at most 4,096 bytes in a cookie. */
const COOKIE_MAX_CHARACTERS = 4_000;

const raceSchema = v.object({
  /** The records of the stand-in for KV. */
  records: recordsSchema,
  /** The id of the session that the left pane keeps in KV alone. */
  naiveId: v.string(),
  /** When both sessions were ended, epoch milliseconds. */
  endedAt: v.nullable(v.number()),
});
export type Race = v.InferOutput<typeof raceSchema>;

type Event = { cookies: CookieJar; url: URL };

/**
 * Reads a visitor's race from a signed cookie. The server stores nothing of it, and nobody can reach another visitor's race. Anyone who
 * sends an older cookie again sees an older state of their own race.
 */
export async function readRace({ cookies }: Pick<Event, 'cookies'>, signer: Signer): Promise<Race | null> {
  const [body = '', mac = ''] = (cookies.get(COOKIE) ?? '').slice(0, COOKIE_MAX_CHARACTERS).split('.');
  if (!(await signer.verify(mac, 'race', body))) return null;
  return v.parse(raceSchema, JSON.parse(Buffer.from(body, 'base64url').toString()));
}

export function keepRace({ cookies, url }: Event, signer: Signer, race: Race): void {
  const body = Buffer.from(JSON.stringify(race)).toString('base64url');
  cookies.set(COOKIE, `${body}.${signer.sign('race', body)}`, {
    path: '/race',
    httpOnly: true,
    sameSite: 'lax',
    secure: url.protocol === 'https:',
    maxAge: RACE_MILLISECONDS / 1_000,
  });
}
