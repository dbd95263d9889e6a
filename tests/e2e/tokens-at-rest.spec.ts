import { expect, test } from './fixtures';

test('no token and no password is stored anywhere or sent in a page', async ({ client, storage, user }) => {
  const own = await client.signUp(user);
  const cookies = [own, await client.signIn(user), await client.signIn(user)];
  expect((await client.post('/logout', {}, cookies[2])).status).toBe(303);
  const [, sessionId = ''] = await client.sessionIds(own);

  const kv = JSON.stringify(await storage.records());
  const d1 = await storage.rows();
  // The dumps come from the right places: D1 contains the user, and KV a session's id.
  expect(kv).toContain(sessionId);
  expect(d1).toContain(user.username);

  const sent = await Promise.all(
    ['/', '/sessions', '/sessions/__data.json', '/account', '/account/__data.json', '/api/sessions'].map(
      async (path) => {
        const response = await client.get(path, own);
        expect(response.status, path).toBe(200);
        return response.text();
      },
    ),
  );
  expect(sent[1]).toContain(sessionId);

  for (const text of [kv, d1, ...sent]) {
    for (const cookie of cookies) {
      const token = cookie.split('.')[1] ?? '';
      expect(token).toHaveLength(43);
      expect(text.includes(token)).toBe(false);
    }
    expect(text.includes(user.password)).toBe(false);
  }
});
