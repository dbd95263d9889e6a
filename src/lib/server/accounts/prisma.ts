import { prisma as prismaAdapter } from '@lucia-auth/adapter-prisma';
import { PrismaD1 } from '@prisma/adapter-d1';
import { PrismaClient } from '@prisma/client';
import type { InitializeAdapter, UserAdapter } from 'lucia';

/**
 * Lucia's Prisma adapter over one request's D1. The client is made per request on purpose: a client shared in an isolate merges the queries
 * of different requests, and Workers cancels a request that waits for another request's I/O.
 */
export function prismaUsers(db: D1Database): InitializeAdapter<UserAdapter> {
  const client = new PrismaClient({
    adapter: new PrismaD1(db),
    // Lucia's user consists of an id and attributes. These two columns belong to the ledger.
    omit: { user: { session_epoch: true, created_at: true } },
  });
  return prismaAdapter(client, { user: 'user', key: 'key', session: null });
}
