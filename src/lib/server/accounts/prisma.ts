import { prisma as prismaAdapter } from '@lucia-auth/adapter-prisma';
import { PrismaD1 } from '@prisma/adapter-d1';
import { PrismaClient } from '@prisma/client';
import type { InitializeAdapter, UserAdapter } from 'lucia';

/** Lucia's Prisma adapter with a client of its own, over the D1 of whoever has it. */
type Lendable = { users: InitializeAdapter<UserAdapter>; db: D1Database };

/** The one that no request has. It is kept per isolate, because making a client costs more CPU than its query. */
let idle: Lendable | null = null;

/**
 * Lends Lucia's Prisma adapter over this request's D1, for as long as `use` runs. Two requests never have the same client: it would merge
 * their queries, and Workers cancels a request that waits for another request's I/O. If the kept one is lent, this makes another. One whose
 * query failed or never ended is not kept.
 */
export async function lendPrismaUsers<T>(
  db: D1Database,
  use: (users: InitializeAdapter<UserAdapter>) => Promise<T>,
): Promise<T> {
  const lent = idle ?? createUsers(db);
  idle = null;
  lent.db = db;
  const answer = await use(lent.users);
  idle = lent;
  return answer;
}

function createUsers(db: D1Database): Lendable {
  // For the queries of Lucia's adapter, Prisma calls nothing but `prepare`.
  const current = { prepare: (query: string) => made.db.prepare(query) } as D1Database;
  const client = new PrismaClient({
    adapter: new PrismaD1(current),
    // Lucia's user consists of an id and attributes. These two columns belong to the ledger.
    omit: { user: { session_epoch: true, created_at: true } },
  });
  const made = { users: prismaAdapter(client, { user: 'user', key: 'key', session: null }), db };
  return made;
}
