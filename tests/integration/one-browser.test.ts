/** Two simultaneous requests of one browser: two tabs, or a page that looks while a form is being sent. */
import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { ConfirmedSession } from '$lib/server/sessions/confirmed';
import { Browser, type TestEvent } from '../setup/browser';
import { quickHash } from '../simulation/histories-requests';
import {
  changePassword,
  confirmSession,
  requireSession,
  revokeOtherSessions,
  revokeSession,
  signIn,
  signUp,
  stepUp,
} from '../setup/requests';

const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'another battery horse';
const stores = { kv: env.SESSIONS, db: env.DB, layout: 'owner' as const, passwordHash: quickHash };

type Rotation = { is: string; by: (event: TestEvent, current: ConfirmedSession) => Promise<unknown> };
const ROTATIONS: Rotation[] = [
  { is: 'ending the others', by: revokeOtherSessions },
  { is: 'the password given again', by: (event, current) => stepUp(event, current, PASSWORD) },
  { is: 'a new password', by: (event, current) => changePassword(event, current, PASSWORD, NEW_PASSWORD) },
  { is: 'signing in again', by: (event, { user }) => signIn(event, user.username, PASSWORD) },
];

async function signedUp(): Promise<{ browser: Browser; username: string }> {
  const browser = new Browser();
  const username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  await signUp(browser.request({ ...stores, method: 'POST' }), username, PASSWORD);
  await browser.settle();
  return { browser, username };
}

it.each(ROTATIONS)('a page that loads beside $is does not take the new cookie away', async ({ by }) => {
  const { browser } = await signedUp();
  const action = browser.requestUnanswered({ ...stores, method: 'POST' });
  const page = browser.requestUnanswered(stores);
  await by(action.event, await requireSession(action.event));
  expect(await confirmSession(page.event)).toBeNull();
  action.receive();
  page.receive();
  await browser.settle();
  expect(await confirmSession(browser.request(stores))).not.toBeNull();
});

it('a page that loads beside a new sign-in keeps its cookie, after another device ended the old session', async () => {
  const { browser: laptop, username } = await signedUp();
  const phone = new Browser();
  const post = { ...stores, method: 'POST' as const };
  await signIn(phone.request(post), username, PASSWORD);
  const { sessionId } = await requireSession(phone.request(stores));
  const revoke = laptop.request(post);
  expect(await revokeSession(revoke, await requireSession(revoke), sessionId)).toBe('ended');
  const again = phone.requestUnanswered(post);
  const page = phone.requestUnanswered(stores);
  await signIn(again.event, username, PASSWORD);
  expect(await confirmSession(page.event)).toBeNull();
  again.receive();
  page.receive();
  await phone.settle();
  expect(await confirmSession(phone.request(stores))).not.toBeNull();
});

it('a session that was rotated to a new token is not reported as ended', async () => {
  const { browser: laptop, username } = await signedUp();
  const phone = new Browser();
  const post = { ...stores, method: 'POST' as const };
  await signIn(phone.request(post), username, PASSWORD);
  const rotation = phone.request(post);
  const before = await requireSession(rotation);
  await stepUp(rotation, before, PASSWORD);
  const revoke = laptop.request(post);
  expect(await revokeSession(revoke, await requireSession(revoke), before.sessionId)).toBe('unknown');
  expect(await confirmSession(phone.request(stores))).not.toBeNull();
});

it('a session that another device ended loses its cookie', async () => {
  const { browser, username } = await signedUp();
  const phone = new Browser();
  await signIn(phone.request({ ...stores, method: 'POST' }), username, PASSWORD);
  const { sessionId } = await requireSession(phone.request(stores));
  const event = browser.request({ ...stores, method: 'POST' });
  expect(await revokeSession(event, await requireSession(event), sessionId)).toBe('ended');
  expect(phone.cookie).toBeDefined();
  expect(await confirmSession(phone.request(stores))).toBeNull();
  expect(phone.cookie).toBeUndefined();
});
