/**
 * Deliberate faults in the app, each with the test that must fail for it. docs/consistency.md explains them.
 *
 * @typedef {{ file: string, find: string, replace: string }} Edit `find` occurs exactly once in the file
 * @typedef {{ name: string, edits: Edit[], test: string, title: string }} Fault `title`: the part of the test's name that picks it
 */

const GUARDS = 'src/lib/server/sessions/current.ts';
const KEYS = 'src/lib/server/accounts/keys.ts';
const CONFIRMATION = 'src/lib/server/sessions/confirmation.ts';
const LIST = 'src/lib/server/sessions/list.ts';
const LEDGER = 'src/lib/server/sessions/ledger.ts';
const LEDGER_SQL = 'src/lib/server/sessions/ledger-sql.ts';
const THROTTLE_SQL = 'src/lib/server/throttle/throttle-sql.ts';
const LEFTOVERS = 'src/lib/server/sessions/leftovers.ts';
const POLICY = 'src/lib/server/policy.ts';
const RECORDS = 'src/lib/server/sessions/records.ts';
const SESSIONS = 'src/lib/server/sessions/sessions.ts';
const TOKEN = 'src/lib/server/sessions/token.ts';
const THROTTLE = 'src/lib/server/throttle/throttle.ts';
const ACCOUNTS = 'src/lib/server/accounts/accounts.ts';
const DEVICE_KEYS = 'src/lib/server/sessions/device-keys.ts';
const PER_REQUEST = 'src/lib/server/sessions/per-request.ts';
const PRISMA = 'src/lib/server/accounts/prisma.ts';
const DEVICE_KEY_SQL = 'src/lib/server/sessions/device-key-sql.ts';

const HISTORIES = { test: 'tests/simulation/histories.node.test.ts', title: 'keeps every promise' };
const CONFIRMED = 'tests/integration/confirmation.test.ts';
const WAVES = 'tests/integration/waves.test.ts';
const INTERLEAVED = 'tests/simulation/interleaved-sessions.node.test.ts';
const CONFIRMATIONS = 'tests/simulation/interleaved-confirmations.node.test.ts';
const ROUTES = 'tests/integration/late-answers.test.ts';
const FAILING_STORES = 'tests/integration/failing-stores.test.ts';
const MOVES = 'src/lib/server/sessions/moves.ts';
const MOVES_SQL = 'src/lib/server/sessions/moves-sql.ts';
const MOVED = 'tests/integration/moves.test.ts';
const THROTTLED = 'tests/integration/throttle.test.ts';
const DEVICE_BINDING = 'tests/integration/device-binding.test.ts';
const WHAT_CAN_GROW = 'tests/integration/what-can-grow.node.test.ts';

/** @type {Fault[]} */
export const FAULTS = [
  {
    name: 'a sign-out only deletes the KV record and writes no ledger',
    edits: [
      {
        file: SESSIONS,
        find: 'const byBirth = await ledger.signOut({ userId, sessionId, shown: false }, facts.origin);',
        replace: 'const byBirth = { ended: sessionId, known: true };',
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
        find: '// KV may be down, or not show it here yet: what D1 saw the birth of is ended all the same.',
        replace: 'await records.remove(sessionId);',
      },
    ],
    test: FAILING_STORES,
    title: 'a revoke whose KV delete fails is still a revoke',
  },
  {
    name: 'a renewal is not confirmed after its write',
    edits: [
      {
        file: RECORDS,
        find: 'if (!stands(own, standing)) {',
        replace: 'if (!stands(own, standing && { ...standing, revoked: new Map() })) {',
      },
    ],
    test: INTERLEAVED,
    title: 'revoke ∥ renew, a KV that is never late',
  },
  {
    name: 'the epoch of a session is not checked',
    edits: [
      {
        file: 'src/lib/server/sessions/standing.ts',
        find: 'session.epoch === standing.epoch &&',
        replace: '',
      },
    ],
    test: INTERLEAVED,
    title: 'revoke all ∥ sign-in',
  },
  {
    name: 'a sign-in gets its epoch without the password that it compared',
    edits: [
      {
        file: KEYS,
        find: 'WHERE Key.id = ${key.id} AND hashed_password = ${key.hash}`,',
        replace: 'WHERE Key.id = ${key.id} AND ${key.hash} IS NOT NULL`,',
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
        file: LIST,
        find: 'stands({ sessionId: id, epoch, created_at }, standing)',
        replace: '(stands({ sessionId: id, epoch, created_at }, standing) || true)',
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
        find: "if (!session) return 'absent';",
        replace: "if (!session) return 'ended';",
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'a page load clears the cookie of a session that this browser has just replaced',
    edits: [
      {
        file: GUARDS,
        find: "if (reason === 'replaced') return reason;",
        replace: '',
      },
    ],
    test: 'tests/integration/one-browser.test.ts',
    title: 'does not take the new cookie away',
  },
  {
    name: 'a renewal starts the absolute limit again',
    edits: [
      {
        file: RECORDS,
        find: 'const changed = endingByAbsoluteLimit({ ...record, ...changes });',
        replace: 'const changed = { ...record, ...changes, created_at: Date.now() };',
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'an account page believes KV while D1 is down',
    edits: [
      {
        file: GUARDS,
        find: 'ledger.standing(userId, [sessionId], from),',
        replace:
          'ledger.standing(userId, [sessionId], from).catch(async () => {\n' +
          '        const session = await readSession(lucia, sessionId);\n' +
          '      const none = { revoked: new Map(), bindings: new Map(), moves: new Map() };\n' +
          '      return session && { username: session.user.username, epoch: session.epoch, ...none };\n' +
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
        find: 'const [shown, asked] = await Promise.allSettled([\n      readSession(lucia, sessionId),\n',
        replace:
          'const first = await readSession(lucia, sessionId);\n    const [shown, asked] = await Promise.allSettled([\n      first,\n',
      },
    ],
    test: WAVES,
    title: 'a confirmation: 1',
  },
  {
    name: 'the next epoch can be foreseen, so that a session stored for one that was refused may come alive in another',
    edits: [
      {
        file: 'src/lib/server/sessions/epoch.ts',
        find: 'return epoch + 1 + randomInt(EPOCH_STEP_MAX);',
        replace: 'void randomInt, EPOCH_STEP_MAX;\n  return epoch + 1;',
      },
    ],
    test: INTERLEAVED,
    title: 'revoke others ∥ revoke others, deletes fail',
  },
  {
    name: 'the records of a deleted account are forgotten when a delete fails',
    edits: [
      {
        file: LEFTOVERS,
        find: 'return { clean: complete && isEach && some.length === all.length, failed: !isEach };',
        replace: 'void isEach;\n  return { clean: complete && some.length === all.length, failed: false };',
      },
    ],
    test: 'tests/integration/leftovers.test.ts',
    title: 'deletes that fail half-way',
  },
  {
    name: 'deleting an account deletes the records of users whose id begins with its own',
    edits: [
      {
        file: LEFTOVERS,
        find: 'sessionOwner(sessionId) === userId;',
        replace: '(sessionOwner(sessionId) ?? "").startsWith(userId);',
      },
    ],
    test: 'tests/integration/leftovers.test.ts',
    title: 'the records of a user whose id begins with the deleted one stay',
  },
  {
    name: "deleting an account believes KV's list",
    edits: [
      {
        file: 'src/lib/server/accounts/accounts.ts',
        find: '[current.sessionId, ...lateSessions]',
        replace: '[]',
      },
    ],
    test: 'tests/simulation/leftovers.node.test.ts',
    title: 'sessions that no list shows yet',
  },
  {
    name: 'a list that may be late ends the marker of a deleted account',
    edits: [
      {
        file: LEFTOVERS,
        find: 'Date.now() : Date.now() - KV_LIST_LATE_MILLISECONDS;',
        replace: 'Date.now() : Date.now();',
      },
    ],
    test: 'tests/simulation/leftovers.node.test.ts',
    title: 'an empty list ends nothing',
  },
  {
    name: 'a thread that is busy with password hashes passes for a store that is down',
    edits: [
      {
        file: POLICY,
        find: 'export const STORE_TIMEOUT_PARTS = 10;',
        replace: 'export const STORE_TIMEOUT_PARTS = 1;',
      },
    ],
    test: FAILING_STORES,
    title: 'a busy thread does not make a page fail',
  },
  {
    name: 'the list of most used passwords is asked about what was typed, not about what is hashed',
    edits: [
      {
        file: 'src/lib/server/accounts/password-policy.ts',
        find: 'const password = asHashed(typed);',
        replace: 'void asHashed;\n  const password = typed;',
      },
    ],
    test: 'tests/integration/password-characters.test.ts',
    title: 'look for a password as it is hashed',
  },
  {
    name: 'an unknown browser is shown by the name that it gives itself',
    edits: [
      {
        file: 'src/lib/server/sessions/device.ts',
        find: 'return [null, undefined];',
        replace: 'return [/^[^/]+/.exec(userAgent)?.[0] ?? null, undefined];',
      },
    ],
    test: 'tests/integration/device-names.test.ts',
    title: 'a stranger cannot write into what the owner reads',
  },
  {
    name: "a form that was made for another user is taken as this one's",
    edits: [
      {
        file: 'src/lib/server/http/made-for.ts',
        find: '|| presented.userId === madeFor)',
        replace: '|| presented.userId !== "")',
      },
    ],
    test: 'tests/integration/made-for.test.ts',
    title: 'is refused with a 409',
  },
  {
    name: 'a browser is known to the last account only',
    edits: [
      {
        file: 'src/lib/server/throttle/known-browser.ts',
        find: '.filter((entry) => FORM.test(entry))',
        replace: '.filter((entry, index) => index === 0 && FORM.test(entry))',
      },
    ],
    test: THROTTLED,
    title: 'stays known to both',
  },
  {
    name: 'a browser that keeps no cookies is signed in',
    edits: [
      {
        file: 'src/lib/server/http/keeps-cookies.ts',
        find: "!headers.has('sec-fetch-site')",
        replace: "headers.has('sec-fetch-site')",
      },
    ],
    test: 'tests/integration/no-cookies.test.ts',
    title: 'is answered 400',
  },
  {
    name: 'text is shown as it was stored',
    edits: [
      {
        file: 'src/lib/server/sessions/readable.ts',
        find: "typeof text === 'string' ? judge(text, max).shown : null",
        replace: "typeof text === 'string' ? text : null",
      },
    ],
    test: 'tests/integration/names-shown.test.ts',
    title: 'what is stored already is cleaned',
  },
  {
    name: 'an address is counted in the form that it comes in',
    edits: [
      {
        file: 'src/lib/server/throttle/address-block.ts',
        find: 'asIPv4(ipaddr.parse(text))',
        replace: 'ipaddr.parse(text)',
      },
    ],
    test: 'tests/integration/address-block.test.ts',
    title: 'is another form of 203.0.113.9',
  },
  {
    name: 'every request is looked up in the edge’s cache',
    edits: [
      {
        file: 'src/lib/server/http/uncached.ts',
        find: "  headers.set('cache-control', 'no-cache');\n",
        replace: '',
      },
    ],
    test: 'tests/integration/uncached.test.ts',
    title: 'passes the edge’s cache by',
  },
  {
    name: 'an action asks who is there before its body has come',
    edits: [
      {
        file: 'src/lib/server/http/action.ts',
        find: '    const form = await readForm(event.request);\n',
        replace:
          '    await event.locals.auth.current.confirm();\n    const form = await readForm(event.request);\n',
      },
    ],
    test: ROUTES,
    title: 'a body that comes after the end',
  },
  {
    name: 'the page behind an action takes the answer that the action had',
    edits: [
      {
        file: 'src/lib/server/http/action.ts',
        find: 'event.locals.auth.current.askAnew();',
        replace: 'void event;',
      },
    ],
    test: ROUTES,
    title: 'the page behind an action asks again',
  },
  {
    name: 'an ended session is told that its guess of the password was wrong',
    edits: [
      {
        file: 'src/lib/server/accounts/accounts.ts',
        find: 'if (!saysItStands(results)) sessionEnded();',
        replace: 'void saysItStands;',
      },
    ],
    test: ROUTES,
    title: 'a session that ends while its password is compared',
  },
  {
    name: 'a name is written whether or not the session that asks for it stands',
    edits: [{ file: RECORDS, find: "if (asker && !stands(asker, standing)) return 'refused';", replace: '' }],
    test: INTERLEAVED,
    title: 'rename ∥ end of the session that asks for it',
  },
  {
    name: 'a made-up session that signs out is recorded',
    edits: [
      {
        file: LEDGER_SQL,
        find: "return sql`(${typeof shown === 'boolean'",
        replace: "return sql`(1 OR ${typeof shown === 'boolean'",
      },
    ],
    test: 'tests/integration/known-sessions.test.ts',
    title: 'a made-up session leaves no row',
  },
  {
    name: 'a rotation does not note what its session goes on as',
    edits: [{ file: LEDGER_SQL, find: '${replacedBy ?? null}', replace: '${replacedBy && null}' }],
    test: INTERLEAVED,
    title: 'sign-out ∥ rotation',
  },
  {
    name: 'a renewal that loses against a rotation takes the cookie away',
    edits: [
      {
        file: GUARDS,
        find: "return standing?.revoked.get(sessionId) === 'replaced' ? 'replaced' : 'ended';",
        replace: "void standing;\n      return 'ended';",
      },
    ],
    test: INTERLEAVED,
    title: 'renew ∥ rotation',
  },
  {
    name: 'plain http from another machine reaches the app',
    edits: [
      {
        file: 'src/lib/server/http/headers.ts',
        find: 'refusePlainHttp(request) ??',
        replace: '(void refusePlainHttp, null) ??',
      },
    ],
    test: 'tests/integration/plain-http.test.ts',
    title: 'nothing is accepted: POST',
  },
  {
    name: 'a deployment looks at the branch after it has changed production',
    edits: [
      {
        file: 'scripts/deploy/pages.mjs',
        find: 'if ((chosen === productionBranch) === isProduction) return',
        replace: 'if (chosen) return',
      },
    ],
    test: 'tests/deploy/branches.node.test.ts',
    title: 'is refused and changes nothing: on a branch, --branch feature',
  },
  {
    name: 'each bucket of the throttle decides for itself, so a refused try takes a place in the others',
    edits: [
      {
        file: THROTTLE_SQL,
        find: 'NOT EXISTS (SELECT 1 FROM ${table} JOIN SignInThrottle AS stored ON ${isClosed(now)})',
        replace: 'NOT EXISTS (SELECT 1 FROM SignInThrottle AS stored WHERE ${isClosed(now)})',
      },
    ],
    test: WHAT_CAN_GROW,
    title: 'a row for each guess that was answered',
  },
  {
    name: 'what is under way from one address is not added up',
    edits: [{ file: THROTTLE_SQL, find: 'THEN under_way + 1 ELSE 1 END', replace: 'THEN 1 ELSE 1 END' }],
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
    edits: [
      {
        file: ACCOUNTS,
        find: 'username = ${username} AND ${notOvertaken(tried)}`',
        replace: 'username = ${username}`',
      },
    ],
    test: WHAT_CAN_GROW,
    title: 'sign-ins with one name leave at most the account’s five failures',
  },
  {
    name: 'a use from elsewhere is not noted',
    edits: [{ file: MOVES, find: 'facts.waitUntil(note(user.userId, sessionId));', replace: '' }],
    test: MOVED,
    title: 'a use from elsewhere is recorded as one event, and both places are in the list',
  },
  {
    name: 'coming back as the first browser takes the mark away',
    edits: [
      {
        file: MOVES_SQL,
        find: 'if (!answer && !seen.has(key)) moves.open.push(move);',
        replace: 'if (!answer && !seen.has(key) && Date.now() - at < 3_600_000) moves.open.push(move);',
      },
    ],
    test: MOVED,
    title: 'a thief who comes back as the first browser erases no mark',
  },
  {
    name: 'a move stays with the token, not with the session',
    edits: [
      {
        file: MOVES_SQL,
        find: "{ type: 'session-moved', sessionId: line, ...origin, at: now },",
        replace: "{ type: 'session-moved', sessionId, ...origin, at: now },",
      },
    ],
    test: MOVED,
    title: 'a mark stays with the session when its browser rotates its token',
  },
  {
    name: 'known places may use up all the notes of a day',
    edits: [
      {
        file: MOVES_SQL,
        find: 'ELSE ${MOVES_PER_DAY_MAX} END',
        replace: 'ELSE ${KNOWN_MOVES_PER_DAY_MAX} END',
      },
    ],
    test: MOVED,
    title: 'moves have a limit for each session and day, which hides no place that is new',
  },
  {
    name: 'an answer takes in a move that its user did not see',
    edits: [
      { file: MOVES_SQL, find: ' AND NOT EXISTS (SELECT 1 FROM ${open} AND id > ${seen})', replace: '' },
    ],
    test: MOVED,
    title: 'an answer covers no move that came after the page was shown',
  },
  {
    name: 'an error says that nothing was changed, whatever began',
    edits: [
      {
        file: 'src/lib/server/http/claims.ts',
        find: 'const told = [...deeds].filter(',
        replace: 'const told = [...deeds].slice(deeds.size).filter(',
      },
    ],
    test: FAILING_STORES,
    title: 'signs nobody in: changing the password',
  },
  {
    name: 'a raise of the epoch that is sent again is refused',
    edits: [{ file: LEDGER_SQL, find: ' OR session_epoch = ${next})`', replace: ')`' }],
    test: 'tests/integration/stumbling-d1.test.ts',
    title: 'revoking all: is sent again',
  },
  {
    name: 'a sign-in is sent again, and counts twice',
    edits: [
      {
        file: 'src/lib/server/stores/writes.ts',
        find: "'sign-in': { again: false,",
        replace: "'sign-in': { again: true,",
      },
    ],
    test: 'tests/integration/stumbling-d1.test.ts',
    title: 'signing in: is not sent again',
  },
  {
    name: 'what the sign-in page says comes from its address',
    edits: [
      {
        file: 'src/routes/(guest)/login/+page.server.ts',
        find: 'notice: left?.notice ?? null,',
        replace: "notice: left?.notice ?? event.url.searchParams.get('notice'),",
      },
    ],
    test: 'tests/integration/flash.test.ts',
    title: 'the address cannot make the sign-in page show a message',
  },
  {
    name: 'the same sign-up sent again is refused',
    edits: [
      {
        file: ACCOUNTS,
        find: 'const madeIt = once !== null && (await throttle.isUsedUp(once));',
        replace: 'const madeIt = false;',
      },
    ],
    test: 'tests/integration/sent-twice.test.ts',
    title: 'ends signed in, both times',
  },
  {
    name: 'a bound session is taken without proof of its device',
    edits: [
      {
        file: DEVICE_KEYS,
        find: 'throw new DeviceUnproven(userId, sessionId);',
        replace: 'return true;',
      },
    ],
    test: DEVICE_BINDING,
    title: 'not from anyone who copied the session cookie alone',
  },
  {
    name: 'a bound cookie lasts from its proof, not from its challenge',
    edits: [
      {
        file: DEVICE_KEYS,
        find: 'const endsAt = challengedAt + lifetime;',
        replace: 'const endsAt = Date.now() + lifetime;',
      },
    ],
    test: DEVICE_BINDING,
    title: 'that is sent again within its minute gains nothing',
  },
  {
    name: 'a session that is bound can be bound again with the same offer',
    edits: [
      {
        file: DEVICE_KEY_SQL,
        find: 'WHERE DeviceKey.created_at < ${offeredAt}',
        replace: 'WHERE TRUE',
      },
    ],
    test: DEVICE_BINDING,
    title: 'a second registration is refused',
  },
  {
    name: 'a refresh goes on after its session has ended',
    edits: [
      {
        file: DEVICE_KEY_SQL,
        find: '\n          AND ${notRevoked(sql`DeviceKey.session_id`)} AS stands',
        replace: ' AS stands',
      },
    ],
    test: DEVICE_BINDING,
    title: 'signing out ends the session’s binding',
  },
  {
    name: 'a registration does not ask whether its session stands',
    edits: [
      {
        file: DEVICE_KEY_SQL,
        find: 'FROM User WHERE User.id = ${userId} AND ${actorStands(actor)}\n        ON CONFLICT',
        replace: 'FROM User WHERE User.id = ${userId}\n        ON CONFLICT',
      },
    ],
    test: DEVICE_BINDING,
    title: 'and after the session has ended',
  },
  {
    name: 'a rotation leaves the binding behind',
    edits: [
      {
        file: LEDGER,
        find: 'return hasBindings ? [moveBinding(db, sessionId, successor)] : [];',
        replace: 'return [];',
      },
    ],
    test: 'tests/simulation/bound-sessions.node.test.ts',
    title: 'refresh ∥ ending the others',
  },
  {
    name: 'a bound cookie that proves nothing stays',
    edits: [
      {
        file: DEVICE_KEYS,
        find: "        setCookie('', 0);\n",
        replace: '',
      },
    ],
    test: 'tests/integration/unproven.test.ts',
    title: 'a bound cookie that proves nothing is removed',
  },
  {
    name: "an open page believes anybody's 401",
    edits: [
      {
        file: 'src/lib/client/look.ts',
        find: "if (type !== 'application/problem+json') return UNKNOWN;",
        replace: '',
      },
    ],
    test: 'tests/integration/look-judged.test.ts',
    title: 'error',
  },
  {
    name: 'a page view takes its yes from KV',
    edits: [
      {
        file: GUARDS,
        find: '      const limit = timeLimit(PEEK_TIMEOUT_MILLISECONDS);',
        replace:
          '      const kept = await readSession(lucia, browser.session.sessionId).catch(() => null);\n' +
          '      if (kept) confirmation.give(confirmed(kept), browser.session.token, Date.now());\n' +
          '      if (kept) return { username: kept.user.username };\n' +
          '      const limit = timeLimit(PEEK_TIMEOUT_MILLISECONDS);',
      },
    ],
    ...HISTORIES,
  },
  {
    name: 'a confirmation is made from a confirmation',
    edits: [
      {
        file: CONFIRMATION,
        find: 'return said.v === 1 && isFresh &&',
        replace:
          "const again = Buffer.from(JSON.stringify({ ...said, confirmed_at: Date.now() })).toString('base64url');\n" +
          "      if (isFresh) cookies.set(name, `${again}.${signer.sign('confirmation', userId, token, boundCookie, again)}`, options);\n" +
          '      return said.v === 1 && isFresh &&',
      },
    ],
    test: CONFIRMED,
    title: 'asks the stores once and then not again for 60 seconds',
  },
  {
    name: 'a confirmation counts from the answer of the ledger, not from the question',
    edits: [
      {
        file: GUARDS,
        find: 'confirmedAt, isProven };\n  }\n\n  /** Writes',
        replace: 'confirmedAt: Date.now() - 0 * confirmedAt, isProven };\n  }\n\n  /** Writes',
      },
    ],
    test: CONFIRMATIONS,
    title: 'no page greets the session 60 seconds after',
  },
  {
    name: 'a confirmation is not of one session',
    edits: [
      {
        file: CONFIRMATION,
        find: "signer.verify(mac, 'confirmation', userId, token, boundCookie, body)",
        replace: "signer.verify(mac, 'confirmation', body)",
      },
      {
        file: CONFIRMATION,
        find: "signer.sign('confirmation', user.userId, token, boundCookie, body)",
        replace: "signer.sign('confirmation', body)",
      },
    ],
    test: CONFIRMED,
    title: 'is worthless with another session',
  },
  {
    name: 'a confirmation does not run out',
    edits: [{ file: CONFIRMATION, find: 'age < CONFIRMATION_SECONDS * 1_000 && age', replace: 'age' }],
    test: CONFIRMATIONS,
    title: 'no page greets the session 60 seconds after',
  },
  {
    name: 'a page view without a confirmation is taken for signed out',
    edits: [{ file: PER_REQUEST, find: ' ?? parts().current.viewer()', replace: '' }],
    test: CONFIRMATIONS,
    title: 'somebody who visits public pages alone',
  },
  {
    name: 'requests at the same time share a Prisma client',
    edits: [{ file: PRISMA, find: '  idle = null;\n', replace: '' }],
    test: 'tests/integration/prisma.test.ts',
    title: 'is never shared',
  },
];
