import { prisma as prismaAdapter } from '@lucia-auth/adapter-prisma';
import { PrismaD1 } from '@prisma/adapter-d1';
import { PrismaClient } from '@prisma/client';
import type { InitializeAdapter, UserAdapter } from 'lucia';

/** Lucia's Prisma adapter with a client of its own. `db`: the D1 of the request that has it, or `null` if none has. */
type Lendable = { users: InitializeAdapter<UserAdapter>; db: D1Database | null };

/** The one that no request has. It is kept per isolate, because making a client costs more CPU than its query. */
let idle: Lendable | null = null;

/**
 * Lends Lucia's Prisma adapter over this request's D1, for as long as `use` runs. Two requests never have the same client at the same time:
 * it would merge their queries, and Workers cancels a request that waits for another request's I/O. If the kept one is lent, this makes
 * another. If `use` fails or never ends, the client is not kept.
 */
export async function lendPrismaUsers<T>(
  db: D1Database,
  use: (users: InitializeAdapter<UserAdapter>) => Promise<T>,
): Promise<T> {
  const lent = idle ?? createUsers();
  idle = null;
  lent.db = db;
  const answer = await use(lent.users);
  lent.db = null;
  idle = lent;
  return answer;
}

function createUsers(): Lendable {
  function prepare(query: string): D1PreparedStatement {
    if (!made.db) throw new Error('[prisma] a query came from a client that no request has');
    return made.db.prepare(query);
  }
  const client = new PrismaClient({
    // For the queries of Lucia's adapter, Prisma calls nothing but `prepare`.
    adapter: new PrismaD1({ prepare } as D1Database),
    // Lucia's user consists of an id and attributes. These two columns belong to the ledger.
    omit: { user: { session_epoch: true, created_at: true } },
  });
  const made: Lendable = {
    users: prismaAdapter(client, { user: 'user', key: 'key', session: null }),
    db: null,
  };
  return made;
}
