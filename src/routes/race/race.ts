/**
 * Two sessions, each on a device in another place, and one button that ends both. The left session is in KV alone, as most people would
 * build it. The right one is this app's own. Both read the same stand-in for a KV that is late.
 */
import { error, type RequestEvent } from '@sveltejs/kit';
import { createAuth, type Auth } from '$lib/server/auth';
import { requestFacts, type CookieJar } from '$lib/server/sessions/request-facts';
import { newSession } from '$lib/server/sessions/rotation';
import { createSigner, deriveKey, type Signer } from '$lib/server/sessions/signer';
import { createToken } from '$lib/server/sessions/token';
import { bindings } from '$lib/server/stores/bindings';
import { takeDemoUser } from './demo-users';
import { lateKv, RACE_MILLISECONDS } from './late-kv';
import type { Look } from './look';
import { keepRace, readRace, type Race } from './state';

type RaceEvent = Pick<
  RequestEvent,
  'request' | 'url' | 'cookies' | 'locals' | 'platform' | 'getClientAddress'
>;

/** Signs in both devices. Throws `Throttled`. */
export async function startRace(event: RaceEvent): Promise<void> {
  const { signer, secret } = keysOf(event);
  const account = await takeDemoUser(event.locals.stores.db, {
    address: event.getClientAddress(),
    secret,
  });
  const race: Race = { records: {}, naiveId: createToken(), endedAt: null };
  await lateKv(race.records).put(naiveKey(race), account.username, {
    expiration: Math.ceil((Date.now() + RACE_MILLISECONDS) / 1_000),
  });
  const { auth } = demoAuth(event, race, { get: () => undefined, set: demoJar(event).set });
  await auth.sessions.start(account, newSession(account.id));
  keepRace(event, signer, race);
}

/** Ends both sessions from elsewhere. The devices keep their cookies, as a thief would. */
export async function endRace(event: RaceEvent): Promise<void> {
  const { signer } = keysOf(event);
  const race = await readRace(event, signer);
  if (!race) return;
  const { auth, settled } = demoAuth(event, race, { ...demoJar(event), set: () => undefined });
  await auth.sessions.signOut();
  await settled();
  await lateKv(race.records).delete(naiveKey(race));
  race.endedAt ??= Date.now();
  keepRace(event, signer, race);
}

/** Returns what the two devices can open now; `null` if there is no race. It writes nothing except what a guard itself sets. */
export async function look(event: RaceEvent): Promise<Look> {
  const race = await readRace(event, keysOf(event).signer);
  if (!race) return null;
  const naive = (await lateKv(race.records).get(naiveKey(race))) !== null;
  // Each uses an auth of its own, as two separate requests for a page view and an account page would.
  const jar = demoJar(event);
  const view = await demoAuth(event, race, jar).auth.peek();
  const account = await demoAuth(event, race, jar).auth.current.confirm();
  return {
    now: Date.now(),
    endedAt: race.endedAt,
    naive: { account: naive, view: naive },
    ours: { account: account !== null, view: view !== null },
  };
}

/**
 * Returns the signer of the race cookie and the secret for everything else in the race. Responds with 404 if `vars.RACE` is off or there is
 * no secret.
 */
function keysOf({ platform, url }: RaceEvent): { signer: Signer; secret: string } {
  const { race, cookieSecrets } = bindings(platform);
  const signer = createSigner(cookieSecrets, url.origin);
  if (!race || !cookieSecrets || !signer) error(404);
  // A separate secret, so that what the demo's auth signs is not valid in the app.
  return { signer, secret: deriveKey(cookieSecrets.current, 'race').toString('base64url') };
}

const naiveKey = ({ naiveId }: Race) => `naive:${naiveId}`;

/** Creates the app's own auth for the demo's session. It runs the same code on the same D1, with the demo's cookies and the stand-in for KV. */
function demoAuth(
  event: RaceEvent,
  race: Race,
  cookies: CookieJar,
): { auth: Auth; settled: () => Promise<unknown> } {
  const background: Promise<unknown>[] = [];
  const { request, url, getClientAddress } = event;
  const facts = requestFacts({
    request,
    url,
    cookies,
    getClientAddress,
    platform: { ctx: { waitUntil: (work) => void background.push(work) } },
  });
  const auth = createAuth({
    stores: event.locals.stores,
    sessionKv: lateKv(race.records),
    facts,
    layout: 'owner',
    cookieSecrets: { current: keysOf(event).secret },
    deviceBinding: null,
  });
  return { auth, settled: () => Promise.all(background) };
}

/**
 * The demo's cookies, under their own names and for this page only. A cookie is never removed, because the panes stand for devices that
 * keep what they have. So it is the server that refuses them.
 */
function demoJar({ cookies }: Pick<RaceEvent, 'cookies'>): CookieJar {
  const nameOf = (name: string) => `race-${name.replace('__Host-', '')}`;
  return {
    get: (name) => cookies.get(nameOf(name)),
    set(name, value, { maxAge = Infinity, ...options }) {
      if (value === '') return;
      const shorter = Math.min(maxAge, RACE_MILLISECONDS / 1_000);
      cookies.set(nameOf(name), value, { ...options, path: '/race', expires: undefined, maxAge: shorter });
    },
  };
}
