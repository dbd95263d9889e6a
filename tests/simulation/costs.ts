/** KV operations and D1 queries of one request. A batch counts as many queries as it has statements. */
export type Cost = { get: number; put: number; delete: number; list: number; queries: number };

const NOTHING: Cost = { get: 0, put: 0, delete: 0, list: 0, queries: 0 };
const cost = (some: Partial<Cost>): Cost => ({ ...NOTHING, ...some });

/**
 * What each operation of the app costs, on the owner layout, up to 1,000 sessions a user. docs/consistency.md
 * publishes this table; a test compares the two, and every history holds the app to it.
 */
export const COSTS = {
  'page view (peek)': cost({ get: 1 }),
  'account page (require)': cost({ get: 1, queries: 1 }),
  'sessions page': cost({ get: 1, list: 1, queries: 2 }),
  'sign-up': cost({ put: 1, queries: 2 }),
  'sign-in': cost({ put: 1, queries: 2 }),
  'sign-in refused': cost({ queries: 2 }),
  'sign-out': cost({ delete: 1, queries: 2 }),
  'revoke one': cost({ get: 2, delete: 1, queries: 4 }),
  'revoke others': cost({ get: 1, put: 1, list: 1, delete: 1, queries: 3 }),
  'revoke all': cost({ get: 1, list: 1, delete: 1, queries: 3 }),
  'change password': cost({ get: 1, put: 1, list: 1, delete: 1, queries: 5 }),
  'delete account': cost({ get: 1, list: 1, delete: 1, queries: 4 }),
} satisfies Record<string, Cost>;

export type Operation = keyof typeof COSTS;

/** What comes on top: a renewal that was due, the session that a sign-in replaced, and each other session that ended. */
export const EXTRA = {
  renewal: cost({ put: 1, queries: 1 }),
  /** A peek that renews asks the ledger first, as `require` does. */
  'confirm before renewal': cost({ queries: 1 }),
  'replaced session': cost({ delete: 1, queries: 2 }),
  'each other session': cost({ delete: 1 }),
} satisfies Record<string, Cost>;

export function add(...costs: Cost[]): Cost {
  const sum = { ...NOTHING };
  for (const one of costs) for (const kind of KINDS) sum[kind] += one[kind];
  return sum;
}

const KINDS = ['get', 'put', 'delete', 'list', 'queries'] as const;
