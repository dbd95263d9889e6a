/**
 * What is measured. `worker` is a file of bench/workers, `path` a subject in it, `stores` what it asks, `answer` the JSON that each
 * answer has to be: who is not signed in is not measured as if.
 * @typedef {{ id: string, worker: string, path: string, title: string, kind: 'floor' | 'ours' | 'peer', stores: string, answer: string }} Subject
 */

const ALICE = { username: 'alice' };

/**
 * @param {string} worker
 * @param {string} path
 * @param {string} title
 * @param {string} stores
 * @param {object} [answer]
 * @returns {Subject}
 */
function subject(worker, path, title, stores, answer = ALICE) {
  const kind = worker === 'floors' ? 'floor' : worker === 'ours' ? 'ours' : 'peer';
  return { id: worker + path, worker, path, title, kind, stores, answer: JSON.stringify(answer) };
}

/** A request that answers with the name of who is signed in. */
export const REQUESTS = [
  subject('floors', '/empty', 'floor: no store', 'none'),
  subject('floors', '/kv', 'floor: one KV get', 'KV'),
  subject('floors', '/d1', 'floor: one D1 query', 'D1'),
  subject('floors', '/both', 'floor: one KV get and one D1 query at once', 'KV ∥ D1'),
  subject('ours', '/peek', 'peekSession', 'KV'),
  subject('ours', '/require', 'requireSession', 'KV ∥ D1'),
  subject('better-auth', '/kv', 'better-auth, KV as secondary storage', 'KV'),
  subject('better-auth', '/d1', 'better-auth, D1 with joins', 'D1'),
  subject('better-auth', '/cache', 'better-auth, signed cookie cache', 'none'),
  subject('lucia', '/unstorage', 'Lucia, unstorage adapter on KV, users in D1', 'KV, D1'),
  subject('lucia', '/d1', 'Lucia, its D1 adapter', 'D1'),
  subject('lucia', '/prisma', 'Lucia, its Prisma adapter on D1', 'D1'),
];

export const SIGN_INS = [
  subject('floors', '/scrypt', 'floor: scrypt alone', 'none'),
  subject('ours', '/sign-in', 'signIn', 'KV, D1'),
  subject('better-auth', '/sign-in-kv', 'better-auth, KV as secondary storage', 'KV, D1'),
  subject('better-auth', '/sign-in-d1', 'better-auth, D1', 'D1'),
];

export const LISTINGS = [
  subject('floors', '/list-100', 'floor: one KV list of 100 keys', 'KV', { length: 100 }),
  subject('floors', '/list-100-and-query', 'floor: the same and one D1 query at once', 'KV ∥ D1', {
    length: 100,
  }),
  subject('ours', '/list-100', 'listSessions, 100 sessions', 'KV ∥ D1', { length: 100 }),
  subject('floors', '/list-1000', 'floor: one KV list of 1,000 keys', 'KV', { length: 1_000 }),
  subject('ours', '/list-1000', 'listSessions, 1,000 sessions', 'KV ∥ D1', { length: 1_000 }),
  subject(
    'ours',
    '/require-and-list-1000',
    'requireSession, then listSessions, 1,000 sessions',
    'KV ∥ D1, twice',
    { length: 1_000 },
  ),
];

export const WRITE = subject('floors', '/write', 'floor: one D1 write', 'D1');
export const CONFIRM_WRITE_LIST_PUT = subject(
  'floors',
  '/confirm-write-list-put',
  'floor: one KV get and one D1 query at once; then one D1 write, one KV list of 1,000 keys and one KV put at once',
  'KV, D1',
  { ended: 1_000 },
);
export const END_OTHERS = subject(
  'ours',
  '/end-999-others',
  'requireSession, then revokeOtherSessions, 1,000 sessions',
  'KV, D1',
  { ended: 999 },
);
export const RENEWAL = subject('ours', '/renew', 'peekSession of a session due for renewal', 'KV, D1', {
  ...ALICE,
  fresh: true,
});
