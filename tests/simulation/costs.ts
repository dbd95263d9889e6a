/**
 * What one request uses of the stores: KV operations, D1 queries, and round trips to D1. A batch is one round trip with as many queries as
 * it has statements.
 */
export type Cost = {
  get: number;
  put: number;
  delete: number;
  list: number;
  queries: number;
  trips: number;
};

export const KINDS = ['get', 'put', 'delete', 'list', 'queries', 'trips'] as const;

export const NOTHING: Cost = { get: 0, put: 0, delete: 0, list: 0, queries: 0, trips: 0 };
const cost = (some: Partial<Cost>): Cost => ({ ...NOTHING, ...some });

/**
 * The cost of each operation in the owner layout, with up to 1,000 sessions per user. docs/consistency.md publishes these tables and a test
 * compares them. Every history checks the app against them.
 */
export const COSTS = {
  'page view (peek)': cost({}),
  'account page (require)': cost({ get: 1, queries: 1, trips: 1 }),
  'sessions page': cost({ get: 1, list: 1, queries: 2, trips: 2 }),
  'sign-up': cost({ put: 1, queries: 11, trips: 2 }),
  'sign-in': cost({ put: 1, queries: 12, trips: 3 }),
  'sign-in refused': cost({ queries: 6, trips: 3 }),
  'sign-in throttled': cost({ queries: 2, trips: 1 }),
  'sign-up throttled': cost({ queries: 2, trips: 1 }),
  'sign-out': cost({ delete: 1, queries: 3, trips: 1 }),
  'password again (step-up)': cost({ get: 1, put: 1, delete: 1, queries: 10, trips: 5 }),
  'name a session': cost({ get: 2, put: 1, queries: 2, trips: 2 }),
  'revoke one': cost({ get: 2, delete: 1, queries: 4, trips: 2 }),
  /** Ends several sessions of the list at once. Their deletes count as `each other session that ends`. */
  'revoke several': cost({ get: 1, list: 1, queries: 4, trips: 2 }),
  'revoke others': cost({ get: 1, put: 1, list: 1, delete: 1, queries: 7, trips: 3 }),
  'revoke all': cost({ get: 1, list: 1, delete: 1, queries: 3, trips: 2 }),
  'change password': cost({ get: 1, put: 1, list: 1, delete: 1, queries: 14, trips: 6 }),
  'delete account': cost({ get: 1, list: 1, delete: 2, queries: 11, trips: 6 }),
} satisfies Record<string, Cost>;

export type Operation = keyof typeof COSTS;

/** The cost of loading each page and endpoint, including the layout's greeting. It is the same every time. */
export const PAGES = {
  '/': cost({ get: 1, queries: 1, trips: 1 }),
  '/login': cost({ get: 0 }),
  '/sessions': COSTS['sessions page'],
  '/sessions/<id>': cost({ get: 2, queries: 4, trips: 3 }),
  '/activity': cost({ get: 1, queries: 2, trips: 2 }),
  '/account': cost({ get: 1, list: 1, queries: 3, trips: 3 }),
  '/account/data': cost({ get: 1, list: 1, queries: 4, trips: 4 }),
  '/kv': cost({ get: 2, list: 2, queries: 1, trips: 1 }),
  'GET /api/sessions': COSTS['sessions page'],
  'GET /api/session': cost({ get: 1, queries: 1, trips: 1 }),
  '/healthz': cost({ get: 1, queries: 1, trips: 1 }),
} satisfies Record<string, Cost>;

export type Page = keyof typeof PAGES;

/** Costs that are added to an operation's. */
export const EXTRA = {
  /** Once an hour and session: the record is written again and then confirmed. */
  'a renewal that was due': cost({ put: 1, queries: 1, trips: 1 }),
  /** A page view without a fresh confirmation asks the stores as an account page does. */
  'the page view that asks': cost({ get: 1, queries: 1, trips: 1 }),
  /** At most once an hour for each place, after the response. */
  'a use from elsewhere that is new': cost({ queries: 1, trips: 1 }),
  /** The sign-in is let through before its key is read. */
  'sign-in from a new browser': cost({}),
  /** It is first treated as the account's own browser, and then as a stranger's. */
  'sign-in from a browser that knew an earlier password': cost({ queries: 4, trips: 1 }),
  /** It is recorded, so that the form is recognized if it is sent twice. */
  'sign-up from its page': cost({ queries: 1 }),
  'the session that a sign-in replaces': cost({ get: 1, delete: 1, queries: 1 }),
  'each other session that ends': cost({ delete: 1 }),
  /** If there is a marker: the list and the index record of the oldest one, at most `LEFTOVER_OPERATIONS_PER_STEP`. */
  'sign-in or sign-up that goes on with leftovers': cost({ list: 1, delete: 1, queries: 1, trips: 1 }),
  'each record that was left': cost({ delete: 1 }),
} satisfies Record<string, Cost>;

/**
 * How often each request waits for a store; operations that start together count as one wait. A page includes its layout. An action without
 * scripts also has the page after it. Password hashing is not a wait. tests/integration/waves.test.ts counts them.
 */
export const WAITS: Record<Operation | Page | keyof typeof EXTRA, number> = {
  'page view (peek)': 0,
  'account page (require)': 1,
  'sessions page': 3,
  'sign-up': 3,
  'sign-in': 3,
  'sign-in refused': 2,
  'sign-in throttled': 1,
  'sign-up throttled': 1,
  'sign-out': 1,
  'password again (step-up)': 5,
  'name a session': 4,
  'revoke one': 2,
  'revoke several': 3,
  'revoke others': 2,
  'revoke all': 2,
  'change password': 4,
  'delete account': 4,
  '/': 1,
  '/login': 0,
  '/sessions': 3,
  '/sessions/<id>': 3,
  '/activity': 2,
  '/account': 2,
  '/account/data': 3,
  '/kv': 3,
  'GET /api/sessions': 3,
  'GET /api/session': 1,
  '/healthz': 1,
  'a renewal that was due': 2,
  'the page view that asks': 1,
  'a use from elsewhere that is new': 0,
  'sign-in from a new browser': 1,
  'sign-in from a browser that knew an earlier password': 1,
  'sign-up from its page': 0,
  'the session that a sign-in replaces': 1,
  'each other session that ends': 0,
  'sign-in or sign-up that goes on with leftovers': 0,
  'each record that was left': 0,
};

export function add(...costs: Cost[]): Cost {
  const sum = { ...NOTHING };
  for (const one of costs) for (const kind of KINDS) sum[kind] += one[kind];
  return sum;
}
