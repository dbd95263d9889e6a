/**
 * The built worker on a full store beside an empty one, asked in turn: 100,000 sessions in KV and a million users in D1 change
 * nothing about what one user's requests take.
 */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { parseConfig } from '../../scripts/deploy/config.mjs';
import { bundleWorker } from '../../scripts/lib/bare-worker.mjs';
import { newSession, passwordHash, person } from '../../scripts/lib/people.mjs';
import { ROOT } from '../../scripts/lib/processes.mjs';
import { visit } from '../../scripts/lib/visitor.mjs';
import { median, rounded } from './numbers.mjs';

const USERS = 1_000_000;
const SESSIONS = 100_000;
/** What one user may have in a list page. */
const MANY = 1_000;
const ROUNDS = 40;
const WARM_UP_ROUNDS = 5;
const USERS_AT_ONCE = 50_000;
/** Every so many users have an ended session and an event. */
const EVERY = 10;
const PUTS_AT_ONCE = 500;

const FEW = person(USERS + 1);
const CROWDED = person(USERS + 2);
const ENDER = person(USERS + 3);

export const BARE_LIST = 'one KV list, without the app';

/** @typedef {{ ok: boolean, status: number, arrayBuffer(): Promise<ArrayBuffer> }} Answer */
/** @typedef {{ name: string, emptyMilliseconds: number, fullMilliseconds: number, ratio: number }} Comparison */

/** @returns {Promise<{ users: number, sessions: number, ofOneUser: number, rounds: number, comparisons: Comparison[], sizes: import('./model.mjs').Sizes }>} */
export async function full() {
  const folder = await mkdtemp(join(tmpdir(), 'full-'));
  await bundleWorker(join(folder, 'bundle'));
  const empty = await openStore(folder, 'empty');
  const crowd = await openStore(folder, 'full');
  try {
    const inD1 = await fill(crowd);
    const operations = { empty: await moveIn(empty), full: await moveIn(crowd) };
    const comparisons = [];
    for (const name of Object.keys(operations.empty)) {
      comparisons.push(
        await compare(name, operations.empty[name] ?? missing, operations.full[name] ?? missing),
      );
    }
    return {
      users: USERS,
      sessions: SESSIONS,
      ofOneUser: MANY,
      rounds: ROUNDS,
      comparisons,
      sizes: { ...inD1, sessionBytes: sessionBytes() },
    };
  } finally {
    await Promise.all([empty.miniflare.dispose(), crowd.miniflare.dispose()]);
    await rm(folder, { recursive: true });
  }
}

const missing = () => Promise.reject(new Error('[full] no such operation'));

/**
 * Takes a batch of JSON records into KV, where from Node each would be a request of its own; and lists, as KV does without the app:
 * the local one looks at every key.
 */
const FILLER = `export default { async fetch(request, env) {
  if (request.method === 'GET') {
    return Response.json(await env.SESSIONS.list({ prefix: new URL(request.url).searchParams.get('prefix') }));
  }
  const records = await request.json();
  await Promise.all(records.map(({ key, json, expiration }) =>
    env.SESSIONS.put(key, json, { expiration, metadata: JSON.parse(json) })));
  return new Response();
} }`;

/** @typedef {Awaited<ReturnType<typeof openStore>>} Store */

/**
 * @param {string} folder
 * @param {string} name
 */
async function openStore(folder, name) {
  const settings = parseConfig(await readFile(join(ROOT, 'wrangler.toml'), 'utf8'));
  const files = (await readdir(join(folder, 'bundle'))).sort(
    (a, b) => Number(b === '_worker.js') - Number(a === '_worker.js'),
  );
  const stores = { kvNamespaces: { SESSIONS: 'sessions' }, d1Databases: { DB: 'db' } };
  const common = { compatibilityDate: String(settings.compatibility_date), ...stores };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      resourcePersistencePath: join(folder, name),
      cf: false,
      // The app's log of security events is not wanted here.
      handleStructuredLogs: () => undefined,
      workers: [
        {
          ...common,
          name: 'app',
          compatibilityFlags: ['nodejs_compat'],
          modules: await Promise.all(
            files.map(async (path) => ({
              type: path.endsWith('.wasm')
                ? /** @type {const} */ ('CompiledWasm')
                : /** @type {const} */ ('ESModule'),
              path,
              contents: new Uint8Array(await readFile(join(folder, 'bundle', path))),
            })),
          ),
          bindings: { SESSION_LAYOUT: 'owner', SHOW_COST: 'off', COOKIE_SECRET: 'of no worth' },
        },
        { ...common, name: 'filler', modules: true, script: FILLER },
      ],
    }),
  );
  const origin = (await miniflare.ready).origin;
  const filler = await miniflare.getWorker('filler');
  const db = await miniflare.getD1Database('DB', 'app');
  const migrations = join(ROOT, 'prisma/migrations');
  for (const file of (await readdir(migrations)).sort()) {
    if (!file.endsWith('.sql')) continue;
    const sql = (await readFile(join(migrations, file), 'utf8')).replace(/--.*$/gm, '');
    for (const statement of sql.split(';')) if (statement.trim() !== '') await db.prepare(statement).run();
  }
  return {
    miniflare,
    origin,
    db,
    /** @param {import('../../scripts/lib/people.mjs').Person} person */
    list: ({ id }) => filler.fetch(`http://filler/?prefix=session:${id}.`),
    /** @param {ReturnType<typeof newSession>[]} sessions */
    async store(sessions) {
      for (let i = 0; i < sessions.length; i += PUTS_AT_ONCE) {
        const body = JSON.stringify(sessions.slice(i, i + PUTS_AT_ONCE));
        const response = await filler.fetch('http://filler/', { method: 'POST', body });
        if (!response.ok) throw new Error(`[full] the filler answered ${response.status}`);
        await response.arrayBuffer();
      }
    },
  };
}

/**
 * A million users with a key each, an ended session and an event for every tenth, and 100,000 sessions of as many users. Gives
 * the bytes that one of each takes in D1, with its indexes.
 * @param {Store} store
 */
async function fill({ db, store }) {
  const hash = passwordHash();
  const id = `'u' || printf('%014d', i)`;
  const someOf = (/** @type {number} */ from, /** @type {number} */ step) =>
    `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + ${step} FROM n WHERE i < ${from + USERS_AT_ONCE - step})`;
  const bytes = async () => (await db.prepare('SELECT 1').run()).meta.size_after;
  const start = await bytes();
  for (let from = 0; from < USERS; from += USERS_AT_ONCE) {
    const some = someOf(from, 1);
    await db.prepare(`${some} INSERT INTO User (id, username) SELECT ${id}, 'user-' || i FROM n`).run();
    await db
      .prepare(
        `${some} INSERT INTO Key (id, user_id, hashed_password) SELECT 'username:user-' || i, ${id}, ?1 FROM n`,
      )
      .bind(hash)
      .run();
  }
  const withUsers = await bytes();
  const tomorrow = Date.now() + 86_400_000;
  const sessionId = `${id} || '.' || substr(hex(randomblob(22)), 1, 43)`;
  for (let from = 0; from < USERS; from += USERS_AT_ONCE) {
    await db
      .prepare(
        `${someOf(from, EVERY)} INSERT INTO RevokedSession (id, user_id, revoked_at, expires_at, reason)
         SELECT ${sessionId}, ${id}, ?1, ?1, 'signed-out' FROM n`,
      )
      .bind(tomorrow)
      .run();
  }
  const withEnded = await bytes();
  const { device, place } = JSON.parse(newSession(FEW).json);
  for (let from = 0; from < USERS; from += USERS_AT_ONCE) {
    await db
      .prepare(
        `${someOf(from, EVERY)} INSERT INTO SecurityEvent (user_id, type, session_id, device, place, at)
         SELECT ${id}, 'signed-in', ${sessionId}, ?2, ?3, ?1 FROM n`,
      )
      .bind(tomorrow, JSON.stringify(device), JSON.stringify(place))
      .run();
  }
  const withEvents = await bytes();
  await store(
    Array.from({ length: SESSIONS - MANY - ROUNDS - WARM_UP_ROUNDS - 2 }, (_, i) => newSession(person(i))),
  );
  const each = (/** @type {number} */ more, /** @type {number} */ count) => Math.round(more / count);
  return {
    userBytes: each(withUsers - start, USERS),
    endedBytes: each(withEnded - withUsers, USERS / EVERY),
    eventBytes: each(withEvents - withEnded, USERS / EVERY),
  };
}

/** What a session takes in KV: its key, its value, and the same as metadata. */
function sessionBytes() {
  const { key, json } = newSession(FEW);
  return key.length + 2 * json.length;
}

/**
 * The users whose requests are compared, and their sessions; gives what is asked of either store.
 * @param {Store} store
 * @returns {Promise<Record<string, () => Promise<Answer>>>}
 */
async function moveIn({ origin, db, store, list }) {
  for (const { id, username } of [FEW, CROWDED, ENDER]) {
    await db.prepare('INSERT INTO User (id, username) VALUES (?1, ?2)').bind(id, username).run();
  }
  const own = newSession(FEW);
  const crowded = Array.from({ length: MANY }, () => newSession(CROWDED));
  const toEnd = Array.from({ length: ROUNDS + WARM_UP_ROUNDS }, () => newSession(ENDER));
  const ender = newSession(ENDER);
  await store([own, ...crowded, ...toEnd, ender]);
  const { cookie } = own;
  return {
    'page view (/)': () => visit(origin, '/', { cookie }),
    'account page (/activity)': () => visit(origin, '/activity', { cookie }),
    'list 1 (API)': () => visit(origin, '/api/sessions', { cookie }),
    [BARE_LIST]: () => list(FEW),
    'list 1,000 (API)': () => visit(origin, '/api/sessions', { cookie: crowded[0]?.cookie }),
    'revoke one (API)': () => revoke(origin, ender.cookie, toEnd.pop()?.id ?? ''),
  };
}

/**
 * @param {string} origin
 * @param {string} cookie
 * @param {string} id
 */
function revoke(origin, cookie, id) {
  const headers = { origin, cookie: `session=${cookie}`, 'cf-connecting-ip': '127.0.0.1' };
  return fetch(`${origin}/api/sessions/${id}`, { method: 'DELETE', headers });
}

/**
 * Asks either store in turn, so that what else the machine does meets both.
 * @param {string} name
 * @param {() => Promise<Answer>} empty
 * @param {() => Promise<Answer>} full
 * @returns {Promise<Comparison>}
 */
async function compare(name, empty, full) {
  /** @type {Record<'empty' | 'full', number[]>} */
  const times = { empty: [], full: [] };
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round += 1) {
    const asked = /** @type {const} */ ([
      ['empty', empty],
      ['full', full],
    ]);
    for (const [which, ask] of round % 2 === 0 ? asked : asked.toReversed()) {
      const milliseconds = await timed(name, ask);
      if (round >= 0) times[which].push(milliseconds);
    }
  }
  const [emptyMilliseconds, fullMilliseconds] = [median(times.empty), median(times.full)];
  return {
    name,
    emptyMilliseconds: rounded(emptyMilliseconds),
    fullMilliseconds: rounded(fullMilliseconds),
    ratio: rounded(fullMilliseconds / emptyMilliseconds),
  };
}

/**
 * @param {string} name
 * @param {() => Promise<Answer>} ask
 */
async function timed(name, ask) {
  const start = performance.now();
  const response = await ask();
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`[full] ${name} answered ${response.status}`);
  return performance.now() - start;
}
