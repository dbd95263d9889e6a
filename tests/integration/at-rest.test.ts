import { env } from 'cloudflare:workers';
import { expect, it, vi } from 'vitest';
import { Browser } from '../setup/browser';
import {
  changePassword,
  requireSession,
  revokeOtherSessions,
  signIn,
  signOut,
  signUp,
} from '../setup/requests';

const PASSWORD = 'correct horse battery';
const NEW_PASSWORD = 'another horse battery';
const ADDRESSES = ['203.0.113.7', '2001:db8:1:2::7'];
/** Four numbers with dots, which nothing else here contains, and the test's own IPv6 block in any notation. */
const ADDRESS_FORMS = [/\b\d{1,3}(\.\d{1,3}){3}\b/, /2001:0?db8/i];

const stores = {
  kv: env.SESSIONS,
  db: env.DB,
  layout: 'owner' as const,
  cookieSecrets: { current: 'a secret' },
};

it('no address, token or password is in KV or D1 after everything that an account can do', async () => {
  vi.spyOn(console, 'log').mockReturnValue(undefined);
  const username = `ada-${crypto.randomUUID().slice(0, 8)}`;
  // A browser's version also contains dots. These browsers have no version of four parts.
  const browsers = ADDRESSES.map((address) => ({
    address,
    browser: new Browser('Mozilla/5.0 Firefox/140.0'),
  }));
  const [laptop, phone] = browsers;
  if (!laptop || !phone) throw new Error('two browsers were made');
  const post = ({ address, browser }: (typeof browsers)[number]) =>
    browser.request({ ...stores, method: 'POST', address });
  const tokens = () => browsers.flatMap(({ browser }) => browser.cookie?.split('.')[1] ?? []);
  const seen = new Set<string>();

  await signUp(post(laptop), username, PASSWORD);
  await signIn(post(phone), username, 'a wrong guess');
  await signIn(post(phone), username, PASSWORD);
  tokens().forEach((token) => seen.add(token));
  const change = post(laptop);
  await changePassword(change, await requireSession(change), PASSWORD, NEW_PASSWORD);
  const others = post(laptop);
  await revokeOtherSessions(others, await requireSession(others));
  await signIn(post(phone), username, NEW_PASSWORD);
  tokens().forEach((token) => seen.add(token));
  await signOut(post(phone));

  const dump = await everything();
  // The dump is the right one: it contains the name, the events and a hash.
  for (const kept of [username, 'sign-in-failed', 'password-changed', 's2:']) expect(dump).toContain(kept);
  for (const form of ADDRESS_FORMS) expect(dump).not.toMatch(form);
  expect(seen.size).toBeGreaterThanOrEqual(3);
  for (const secret of [...seen, PASSWORD, NEW_PASSWORD, 'a wrong guess']) expect(dump).not.toContain(secret);
});

/** Returns every KV record with its metadata, and every row of every table of the app, as text. */
async function everything(): Promise<string> {
  const { keys } = await env.SESSIONS.list();
  const values = await Promise.all(keys.map(({ name }) => env.SESSIONS.get(name)));
  const { results: tables } = await env.DB.prepare(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'`,
  ).all<{ name: string }>();
  const rows = await Promise.all(
    tables.map(async ({ name }) => (await env.DB.prepare(`SELECT * FROM "${name}"`).all()).results),
  );
  return JSON.stringify([keys, values, rows]);
}
