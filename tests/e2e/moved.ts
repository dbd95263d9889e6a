import type { Device, DeviceOptions, User } from './device';
import { ageProof } from './session-proof';
import type { Storage } from './storage';

/** Firefox and Chrome by their user agents. The rendering engine is the same. */
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0';
const ANDROID =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36';
export const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1';

export const SAYS_BOTH =
  /Signed in on Firefox on Windows, Local\.\s+Used from Chrome on Android, Local, just now/;

/**
 * Creates a desktop that signed in, a laptop of the same user whose proof of the password is old, and a phone that has used a copy of the
 * desktop's cookie.
 */
export async function setMovedScene(
  newDevice: (options?: DeviceOptions) => Promise<Device>,
  storage: Storage,
  user: User,
) {
  const desktop = await newDevice({ userAgent: WINDOWS, refusals: [400, 403] });
  const laptop = await newDevice({ refusals: [400, 403] });
  const thief = await newDevice({ userAgent: ANDROID });
  await desktop.startSignedUp(user);
  await laptop.startSignedIn(user);
  await ageProof(storage, (await laptop.sessionCookie()).userId, await laptop.sessionId());
  const cookie = await desktop.sessionCookie();
  await thief.context.addCookies([
    { name: cookie.name, value: cookie.value, url: new URL(desktop.page.url()).origin },
  ]);
  await thief.visit('/sessions');
  return { desktop, laptop, thief, moved: await desktop.sessionId() };
}

/** Enters the password when asked, in a dialog or on a session's own page. */
export async function givePassword(device: Device, { password }: User, button: string): Promise<void> {
  await device.field('Password').fill(password);
  await device.page.getByRole('main').getByRole('button', { name: button, exact: true }).click();
}
