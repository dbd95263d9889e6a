import { prisma as prismaAdapter } from '@lucia-auth/adapter-prisma';
import { PrismaD1 } from '@prisma/adapter-d1';
import { PrismaClient } from '@prisma/client';
import type { InitializeAdapter, UserAdapter } from 'lucia';

/**
 * Lucia's Prisma adapter over one request's D1. The client is made per request on purpose: one kept per isolate
 * merges the queries of different requests, and Workers cancel a request that waits on another's I/O.
 */
export function prismaUsers(db: D1Database): InitializeAdapter<UserAdapter> {
  const client = new PrismaClient({
    adapter: new PrismaD1(db),
    // Lucia's user is id and attributes; these two are the ledger's own.
    omit: { user: { session_epoch: true, created_at: true } },
  });
  return prismaAdapter(client, { user: 'user', key: 'key', session: null });
}
