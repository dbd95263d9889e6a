/**
 * Deliberate faults in the app, each with the test that must fail for it. docs/consistency.md explains them.
 *
 * @typedef {{ file: string, find: string, replace: string }} Edit `find` occurs exactly once in the file
 * @typedef {{ name: string, edits: Edit[], test: string, title: string }} Fault `title`: the part of the test's name that picks it
 */

const GUARDS = 'src/lib/server/auth/guards.ts';
const LEDGER = 'src/lib/server/auth/ledger.ts';
const POLICY = 'src/lib/server/auth/policy.ts';
const LUCIA = 'src/lib/server/auth/lucia.ts';
const SESSIONS = 'src/lib/server/auth/sessions.ts';
const TOKEN = 'src/lib/server/auth/token.ts';
const THROTTLE = 'src/lib/server/auth/throttle.ts';
const ACCOUNTS = 'src/lib/server/auth/accounts.ts';

const HISTORIES = { test: 'tests/simulation/histories.node.test.ts', title: 'keeps every promise' };
const WAVES = 'tests/integration/waves.test.ts';
const INTERLEAVED = 'tests/simulation/interleaved-sessions.node.test.ts';
const FAILING_STORES = 'tests/integration/failing-stores.test.ts';
const THROTTLED = 'tests/integration/throttle.test.ts';
const WHAT_CAN_GROW = 'tests/integration/what-can-grow.node.test.ts';

/** @type {Fault[]} */
export const FAULTS = [
  {
    name: 'a sign-out only deletes the KV record and writes no ledger',
    edits: [
      {
        file: SESSIONS,
        find: 'await ledger.signOut(sessionId, userId, record !== null, originOf(event));',
        replace: 'void ledger;',
      },
    ],
    test: INTERLEAVED,
    title: 'sign-out ∥ renew',
  },
  {
    name: 'a revoke deletes the KV record first and writes the ledger after',
    edits: [
      {
        file: SESSIONS,
        find: "if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';\n  // The record is read",
        replace:
          "if (!isSessionIdOf(current.user.userId, sessionId)) return 'unknown';\n" +
          '  await auth.lucia.invalidateSession(sessionId);\n  // The record is read',
      },
    ],
    test: FAILING_STORES,
    title: 'a revoke whose KV delete fails is still a revoke',
  },
  {
    name: 'a renewal is not confirmed after its write',
    edits: [
      {
        file: LUCIA,
        find: 'if (!stands(kept, await ledger.standing(kept.user_id, sessionId))) {',
        replace: 'if (!stands(kept, { username: "", epoch: kept.epoch, revoked: false, replaced: false })) {',
      },
    ],
    test: INTERLEAVED,
    title: 'revoke ∥ renew, a KV that is never late',
  },
  {
    name: 'the epoch of a session is not checked',
    edits: [{ file: LUCIA, find: 'session.epoch === standing.epoch &&', replace: '' }],
    test: INTERLEAVED,
    title: 'revoke all ∥ sign-in',
  },
  {
    name: 'a sign-in gets its epoch without the password that it compared',
    edits: [
      {
        file: LEDGER,
        find: 'WHERE Key.id = ?1 AND hashed_password = ?2`,',
        replace: 'WHERE Key.id = ?1 AND ?2 IS NOT NULL`,',
      },
    ],
    test: INTERLEAVED,
    title: 'change password ∥ sign-in',
  },
  {
    name: 'the owner layout keeps an index that is read, changed and written',
    edits: [
      {
        file: 'src/lib/server/kv-adapter/binding.ts',
        find: 'owner: ownerLayout }',
        replace: 'owner: (ownerLayout, indexLayout) }',
      },
    ],
    ...HISTORIES,
  },
  {
    name: "the sessions page believes KV's list",
    edits: [
      {
        file: SESSIONS,
        find: '.filter(({ sessionId, epoch }) => epoch === current.epoch && !revoked.has(sessionId))',
        replace: '',
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'the session id is the token itself',
    edits: [
      {
        file: TOKEN,
        find: "return `${userId}.${hash('sha256', token, 'base64url')}`;",
        replace: 'void hash;\n  return `${userId}.${token}`;',
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'the cookie is cleared when KV shows no record',
    edits: [
      {
        file: GUARDS,
        find: 'if (ended && !standing?.replaced) auth.request.setSession(null);',
        replace: 'if (ended || !session) auth.request.setSession(null);',
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'a page load clears the cookie of a session that this browser has just replaced',
    edits: [
      {
        file: GUARDS,
        find: 'if (ended && !standing?.replaced) auth.request.setSession(null);',
        replace: 'if (ended) auth.request.setSession(null);',
      },
    ],
    test: 'tests/integration/one-browser.test.ts',
    title: 'does not take the new cookie away',
  },
  {
    name: 'a renewal starts the absolute limit again',
    edits: [
      {
        file: LUCIA,
        find: 'const changed = endingByAbsoluteLimit({ ...session, ...partial });',
        replace: 'const changed = { ...session, ...partial, created_at: Date.now() };',
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'an account page believes KV while D1 is down',
    edits: [
      {
        file: GUARDS,
        find: 'ledger.standing(presented.userId, presented.sessionId),',
        replace:
          'ledger.standing(presented.userId, presented.sessionId).catch(async () => {\n' +
          '      const session = await readPresented(auth);\n' +
          '      return session && { username: session.user.username, epoch: session.epoch, revoked: false };\n' +
          '    }),',
      },
    ],
    test: FAILING_STORES,
    title: 'is a 503 that names the store: the sessions page',
  },
  {
    name: 'the ledger is asked when KV has answered, not at the same time',
    edits: [
      {
        file: GUARDS,
        find: 'const [session, standing] = await Promise.all([\n    readPresented(auth),\n',
        replace:
          'const first = await readPresented(auth);\n  const [session, standing] = await Promise.all([\n    first,\n',
      },
    ],
    test: WAVES,
    title: 'a confirmation: 1',
  },
  {
    name: 'the next epoch can be foreseen, so that a session stored for one that was refused may come alive in another',
    edits: [
      {
        file: LEDGER,
        find: 'return epoch + 1 + randomInt(EPOCH_STEP_MAX);',
        replace: 'void randomInt, EPOCH_STEP_MAX;\n  return epoch + 1;',
      },
    ],
    test: INTERLEAVED,
    title: 'revoke others ∥ revoke others, deletes fail',
  },
  {
    name: 'a thread that is busy with password hashes passes for a store that is down',
    edits: [
      {
        file: POLICY,
        find: 'export const STORE_TIMEOUT_PARTS = 5;',
        replace: 'export const STORE_TIMEOUT_PARTS = 1;',
      },
    ],
    test: FAILING_STORES,
    title: 'has its answer, however late its timers ring',
  },
  {
    name: 'each bucket of the throttle decides for itself, so a refused try takes a place in the others',
    edits: [
      {
        file: THROTTLE,
        find: 'NOT EXISTS (SELECT 1 FROM ${WANTED} JOIN SignInThrottle AS stored ON ${CLOSED})',
        replace: 'NOT EXISTS (SELECT 1 FROM SignInThrottle AS stored WHERE ${CLOSED})',
      },
    ],
    test: WHAT_CAN_GROW,
    title: 'a row for each guess that was answered',
  },
  {
    name: 'what is under way from one address is not added up',
    edits: [{ file: THROTTLE, find: 'THEN under_way + 1 ELSE 1 END', replace: 'THEN 1 ELSE 1 END' }],
    test: THROTTLED,
    title: 'tries of one address that are under way at once',
  },
  {
    name: 'right passwords have no limit',
    edits: [
      {
        file: THROTTLE,
        find: 'const wanted = [...buckets, ...quotas];',
        replace: 'const wanted = [...buckets];',
      },
    ],
    test: THROTTLED,
    title: 'sign-ins with the right password',
  },
  {
    name: 'a guess that a block overtook is recorded as a failure',
    edits: [{ file: ACCOUNTS, find: 'AND ${notOvertaken(7)}', replace: "AND ?7 <> ''" }],
    test: WHAT_CAN_GROW,
    title: "the account's five failures",
  },
];
