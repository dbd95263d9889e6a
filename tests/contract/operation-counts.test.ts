import { env } from 'cloudflare:workers';
import { LuciaError, type SessionAdapter, type SessionSchema } from 'lucia';
import { expect, test } from 'vitest';
import { cloudflareKvBinding, type SessionLayout } from '$lib/server/kv-adapter';
import readme from '$lib/server/kv-adapter/README.md?raw';
import { RecordingKV } from '$lib/server/kv-adapter/contract/recording-kv';
import { newUserId, sessionOf } from '$lib/server/kv-adapter/contract/fixture';

const call: Record<
  keyof SessionAdapter,
  (adapter: SessionAdapter, session: SessionSchema) => Promise<unknown>
> = {
  getSession: (adapter, { id }) => adapter.getSession(id),
  getSessionsByUserId: (adapter, { user_id }) => adapter.getSessionsByUserId(user_id),
  setSession: (adapter, { user_id }) => adapter.setSession(sessionOf(user_id)),
  updateSession: (adapter, { id, idle_expires }) =>
    adapter.updateSession(id, { idle_expires: idle_expires + 60_000 }),
  deleteSession: (adapter, { id }) => adapter.deleteSession(id),
  deleteSessionsByUserId: (adapter, { user_id }) => adapter.deleteSessionsByUserId(user_id),
};

/** Returns a row of README.md's table, from measured counts. */
async function measuredRow(layout: SessionLayout, method: keyof SessionAdapter): Promise<string> {
  const kv = new RecordingKV(env.SESSIONS);
  const adapter = cloudflareKvBinding(kv, undefined, { layout })(LuciaError);
  const user = newUserId();
  const session = sessionOf(user);
  for (const each of [sessionOf(user), session, sessionOf(user)]) await adapter.setSession(each);
  kv.reset();
  await call[method](adapter, session);
  const counts = kv.counts();
  return `| \`${layout}\` | \`${method}\` | ${counts.get} | ${counts.put} | ${counts.delete} | ${counts.list} |`;
}

const methods: (keyof SessionAdapter)[] = [
  'getSession',
  'getSessionsByUserId',
  'setSession',
  'updateSession',
  'deleteSession',
  'deleteSessionsByUserId',
];

/** The lines of the README, without the padding that a formatter may add to tables. */
const rows = readme.split('\n').map((line) => line.replace(/\s+/g, ' ').trim());

test.each(['index', 'owner'] as const)(
  'the README’s table has the cost of each method of the %s layout',
  async (layout) => {
    for (const method of methods) expect(rows).toContain(await measuredRow(layout, method));
  },
);
