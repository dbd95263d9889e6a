import { LuciaError } from 'lucia';
import { expect, test } from 'vitest';
import { cloudflareKvBinding } from '$lib/server/kv-adapter';
import { testAdapterContract, type ContractKV } from '../contract/adapter-contract';
import { newUserId, sessionOf } from '$lib/server/kv-adapter/contract/fixture';
import { createHostileKV } from './hostile-kv';

/** Reads the clock each time, because the contract moves it. */
const now = () => Date.now();

const openKv = (): ContractKV => ({
  kv: createHostileKV({ seed: 0, hostility: {}, now }).place('here'),
});

testAdapterContract('the calm simulation', openKv);

test('list pages that are short, or empty before the last, hide no session in the owner layout', async () => {
  const store = createHostileKV({ seed: 0, hostility: { pageKeys: 1, emptyPageRate: 0.5 }, now });
  const adapter = cloudflareKvBinding(store.place('here'), undefined, { layout: 'owner' })(LuciaError);
  const user = newUserId();
  const sessions = Array.from({ length: 8 }, () => sessionOf(user));
  for (const session of sessions) await adapter.setSession(session);
  const listed = await adapter.getSessionsByUserId(user);
  expect(listed.map(({ id }) => id).toSorted()).toEqual(sessions.map(({ id }) => id).toSorted());
  expect(store.counters.list).toBeGreaterThan(sessions.length);
  await adapter.deleteSessionsByUserId(user);
  expect(store.truth()).toEqual([]);
});
