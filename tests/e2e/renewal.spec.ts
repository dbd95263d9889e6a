import * as v from 'valibot';
import { expect, test } from './fixtures';

const DAY_SECONDS = 24 * 60 * 60;
const times = v.looseObject({ active_expires: v.number(), idle_expires: v.number() });

test('the first request after the active period renews the session and does not change its cookie', async ({
  newDevice,
  storage,
  user,
}) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const sessionId = await device.sessionId();
  const cookie = await device.sessionCookie();

  // As if the last renewal had been twenty days ago: idle, with ten days left.
  const inTenDays = Math.round(Date.now() / 1000) + 10 * DAY_SECONDS;
  const aged = { active_expires: Date.now() - 20 * DAY_SECONDS * 1000, idle_expires: inTenDays * 1000 };
  const record = (await storage.recordsOf(cookie.userId)).find(({ key }) => key === `session:${sessionId}`);
  if (!record) throw new Error('the session has no record');
  await storage.putBack([
    {
      ...record,
      value: JSON.stringify({ ...v.parse(times, JSON.parse(record.value)), ...aged }),
      metadata: record.metadata && { ...v.parse(times, record.metadata), ...aged },
      expiration: inTenDays,
    },
  ]);
  await device.visit('/sessions');
  await expect(device.rows()).toHaveCount(1);

  // The cookie lives as long as the session can, so a renewal sets none. A late response can therefore not restore an older cookie.
  expect(await device.sessionCookie()).toEqual(cookie);
  expect(cookie.expires).toBeGreaterThan(Date.now() / 1000 + 89 * DAY_SECONDS);
  const stored = (await storage.recordsOf(cookie.userId)).find(({ key }) => key === `session:${sessionId}`);
  expect(v.parse(times, JSON.parse(stored?.value ?? '{}')).active_expires).toBeGreaterThan(Date.now());
  expect(stored?.expiration).toBeGreaterThan(inTenDays + 19 * DAY_SECONDS);
});

test('a session past its idle period is over', async ({ newDevice, storage, user }) => {
  const device = await newDevice();
  await device.startSignedUp(user);
  const { userId } = await device.sessionCookie();

  const over = { active_expires: Date.now() - 2000, idle_expires: Date.now() - 1000 };
  const records = (await storage.recordsOf(userId)).filter(({ key }) => key.startsWith('session:'));
  expect(records).toHaveLength(1);
  await storage.putBack(
    records.map((record) => ({
      ...record,
      value: JSON.stringify({ ...v.parse(times, JSON.parse(record.value)), ...over }),
      metadata: record.metadata && { ...v.parse(times, record.metadata), ...over },
    })),
  );
  await device.expectSignedOut();
});
