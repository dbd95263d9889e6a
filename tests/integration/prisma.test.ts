import { env } from 'cloudflare:workers';
import { LuciaError, type UserAdapter } from 'lucia';
import { beforeEach, describe, expect, it } from 'vitest';
import { lendPrismaUsers } from '$lib/server/accounts/prisma';
import { userAdapter } from '$lib/server/accounts/user-adapter';
import { observeD1 } from '../simulation/observed-d1';

const ADA = { id: 'u1', username: 'ada' };

beforeEach(async () => {
  await env.DB.exec('DELETE FROM User');
  await userAdapter(env.DB)(LuciaError).setUser(ADA, null);
});

/** The user that a request reads, and the client that was lent for it. */
async function read(db: D1Database): Promise<{ user: unknown; lent: object }> {
  let lent: object = {};
  const user = await lendPrismaUsers(db, (users) => {
    lent = users;
    return adapter(users).getUser(ADA.id);
  });
  return { user, lent };
}

const adapter = (users: (error: typeof LuciaError) => UserAdapter) => users(LuciaError);

describe('the Prisma client', () => {
  it('is kept for the next request, and then asks the D1 of that request', async () => {
    const [first, second] = [observeD1(env.DB), observeD1(env.DB)];
    const before = await read(first.db);
    const after = await read(second.db);
    expect(after.lent).toBe(before.lent);
    expect([before.user, after.user]).toEqual([ADA, ADA]);
    expect([first, second].map(({ counters }) => counters.queries)).toEqual([1, 1]);
  });

  it('is never shared: of requests at the same time, each has its own and asks its own D1', async () => {
    await read(env.DB);
    const all = Array.from({ length: 8 }, () => observeD1(env.DB));
    const answers = await Promise.all(all.map(({ db }) => read(db)));
    expect(new Set(answers.map(({ lent }) => lent)).size).toBe(all.length);
    expect(answers.map(({ user }) => user)).toEqual(all.map(() => ADA));
    expect(all.map(({ counters }) => counters.queries)).toEqual(all.map(() => 1));
  });

  it('is not kept after its query failed', async () => {
    const { lent } = await read(env.DB);
    const beforeStep = () => Promise.reject(new Error('D1_ERROR: Network connection lost.'));
    const failing = observeD1(env.DB, { beforeStep });
    await expect(read(failing.db)).rejects.toThrow('Network connection lost');
    const next = await read(env.DB);
    expect(next.lent).not.toBe(lent);
    expect(next.user).toEqual(ADA);
  });

  it('is not lent to another request while its query has no answer', async () => {
    const { lent } = await read(env.DB);
    let answer = () => {};
    const beforeStep = () => new Promise<void>((resolve) => (answer = resolve));
    const waiting = read(observeD1(env.DB, { beforeStep }).db);
    const meanwhile = await read(env.DB);
    expect(meanwhile.lent).not.toBe(lent);
    expect(meanwhile.user).toEqual(ADA);
    answer();
    expect((await waiting).lent).toBe(lent);
  });
});
