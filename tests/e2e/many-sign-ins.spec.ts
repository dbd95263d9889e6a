import { sessionCookieOf } from './cookie-client';
import { expect, test } from './fixtures';

const SIGN_INS = 20;

test('twenty sign-ins are all listed, and revoking the others leaves one', async ({
  client,
  layout,
  user,
}) => {
  await client.post('/logout', {}, await client.signUp(user));

  const cookies: string[] = [];
  if (layout === 'owner') {
    cookies.push(...(await Promise.all(Array.from({ length: SIGN_INS }, () => client.signIn(user)))));
  } else {
    // The `index` layout reads and writes one record per user, and KV has no compare-and-set. Simultaneous sign-ins may therefore lose
    // entries. That is its documented limit, and the reason why this app uses `owner`.
    for (let n = 0; n < SIGN_INS; n++) cookies.push(await client.signIn(user));
  }
  expect(new Set(cookies).size).toBe(SIGN_INS);

  const [first = ''] = cookies;
  const page = await (await client.get('/sessions', first)).text();
  expect(page.match(/data-session-id=/g)).toHaveLength(SIGN_INS);

  const answer = await client.post('/sessions?/revokeOthers', {}, first);
  expect(await client.sessionIds(sessionCookieOf(answer) ?? '')).toHaveLength(1);

  const statuses = await Promise.all(
    cookies.map(async (cookie) => (await client.get('/sessions', cookie)).status),
  );
  expect(statuses).toEqual(Array.from({ length: SIGN_INS }, () => 303));
});
