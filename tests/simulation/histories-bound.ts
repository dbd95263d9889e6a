/** For histories: browsers that bind their sessions to the device, and what that means for a copied cookie. */
import { BINDING_GRACE_MILLISECONDS, BOUND_COOKIE_MILLISECONDS } from '$lib/server/policy';
import { Browser } from '../setup/browser';
import { BOUND_COOKIE, Device, refreshWith, sendBind } from '../setup/device';
import { count, storesAt } from './histories-requests';
import { CLOCKS_DIFFER_BY_MILLISECONDS, expect, type Act, type Done, type World } from './histories-world';
import { end, mustLive, type KnownSession } from './model';

/** What a browser knows of its binding: its last bound cookie, and when it arrived. */
export type KnownBinding = { id: string; proof: string; provenAt: number };

/** One device for all. Other tests check that another device's key is worthless. */
let device: Promise<Device> | undefined;
const theDevice = () => (device ??= Device.make());

/** Browsers refresh before the cookie expires. */
const REFRESH_AFTER_MILLISECONDS = BOUND_COOKIE_MILLISECONDS - 2 * 60 * 1_000;

/** Some offers are accepted at once; the stores may fail meanwhile. */
export async function takeOffer(world: World, act: Act, { offer }: Done): Promise<void> {
  const browser = world.browsers[act.browser];
  const session = browser?.cookie === undefined ? undefined : world.sessions.get(browser.cookie);
  if (!browser || !session || offer === null || act.target % 4 !== 0) return;
  const options = storesAt(world, act.place, {}, world.d1Failures);
  const { status, body } = await sendBind(browser, options, await (await theDevice()).registration(offer));
  count(world, `bind ${status}`);
  if (status === 200) {
    const proof = browser.cookieNamed(BOUND_COOKIE) ?? '';
    session.binding = { id: String(body.session_identifier), proof, provenAt: Date.now() };
    return;
  }
  // An offer that is not later than the binding (clocks differ) leaves the session bound as it is.
  if (status === 403 && session.binding) return;
  expect(status === 503 || session.fate !== 'live', 'a fresh offer is taken');
  // It may have been bound to a key that the browser has not kept.
  end(session, false);
  world.setClock(Date.now() + BINDING_GRACE_MILLISECONDS + CLOCKS_DIFFER_BY_MILLISECONDS);
}

/** Before any request, browsers whose proof is about to expire get the next one. */
export async function refreshProofs(world: World): Promise<void> {
  for (const browser of world.browsers) {
    const session = browser.cookie === undefined ? undefined : world.sessions.get(browser.cookie);
    if (session) await refreshProof(world, session, browser);
  }
}

async function refreshProof(world: World, session: KnownSession, browser: Browser): Promise<void> {
  const { binding } = session;
  if (!binding || Date.now() < binding.provenAt + REFRESH_AFTER_MILLISECONDS) return;
  const { body } = await refreshWith(browser, storesAt(world, 'FRA'), await theDevice(), binding.id);
  const isOver = body.continue === false;
  const mustGoOn = mustLive(session, Date.now() + CLOCKS_DIFFER_BY_MILLISECONDS);
  expect(!(isOver && mustGoOn), 'no refresh says of a live session that it has ended');
  // A rotation moves the binding to the new session. If the rotation's response was lost, nobody has the new cookie.
  const goesOn = [...world.sessions.values()].some((one) => one.binding === binding && one.fate !== 'ended');
  const isLost = session.account.lost > 0;
  expect(isOver || goesOn || isLost, 'a refresh says of an ended session that it has ended');
  count(world, isOver ? 'refresh: ended' : 'refresh: proven');
  if (isOver) return;
  binding.proof = browser.cookieNamed(BOUND_COOKIE) ?? '';
  binding.provenAt = Date.now();
}

/** Returns a browser that has only this session's cookie and, if its device is at hand, the proof. */
export async function copyOf(world: World, session: KnownSession, withProof: boolean): Promise<Browser> {
  const browser = new Browser().plant(session.cookie);
  if (!withProof || !session.binding) return browser;
  await refreshProof(world, session, new Browser().plant(session.cookie));
  return browser.plant(session.binding.proof, BOUND_COOKIE);
}
