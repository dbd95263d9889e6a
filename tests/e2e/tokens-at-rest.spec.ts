import { expect, test } from './fixtures';

test('no token and no password is stored anywhere or sent in a page', async ({
  client,
  newDevice,
  storage,
  user,
}) => {
  const [laptop, phone] = [await newDevice(), await newDevice()];
  await laptop.startSignedUp(user);
  await phone.startSignedIn(user);
  const ended = await newDevice();
  await ended.startSignedIn(user);
  const cookies = await Promise.all([laptop, phone, ended].map((device) => device.sessionCookie()));
  const sessionId = await phone.sessionId();
  await ended.signOut();

  const kv = JSON.stringify(await storage.records());
  const d1 = await storage.rows();
  // The dumps are of the right places: both know the user, and KV the session's id.
  expect(kv).toContain(sessionId);
  expect(d1).toContain(user.username);

  const own = cookies[0]?.value ?? '';
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
    for (const { token } of cookies) {
      expect(token).toHaveLength(43);
      expect(text.includes(token)).toBe(false);
    }
    expect(text.includes(user.password)).toBe(false);
  }
});
