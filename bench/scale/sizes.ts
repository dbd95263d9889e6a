/** The bytes that one row of each kind takes in D1, with its indexes, and one session in KV. */
import { sessionIdFor } from '$lib/server/sessions/token';
import { scryptPasswordHash } from '$lib/server/accounts/password';
import { Browser } from '../../tests/setup/browser';
import { requireSession, revokeSession, signIn, signUp } from '../../tests/setup/requests';
import { plainUsers } from '../../tests/simulation/plain-users';
import type { Sizes } from './model.mjs';
import { withStores } from './stores';

/** As many rows of each kind. */
const COPIES = 50_000;
/** Without a common divisor with `COPIES`: the rows come in no order, as random ids do. */
const STRIDE = 12_347;
const PASSWORD = 'correct horse battery';

/** An SQL expression of a text of this length that differs from row to row. */
const unique = (prefix: string, length: number) =>
  `'${prefix}' || printf('%0${length - prefix.length}d', (i * ${STRIDE}) % ${COPIES})`;

export const sizes = (): Promise<Sizes> =>
  withStores(async (kv, db) => {
    const { userId, key } = await liveALittle(kv, db);
    const user = unique('u', userId.length);
    const session = `${user} || '.' || printf('%043d', i)`;
    const copy = (table: string, changed: Record<string, string>) => bytesOfCopies(db, table, changed);
    const userBytes =
      (await copy('User', { id: user, username: unique('n', 10) })) +
      (await copy('Key', { id: unique('username:', 19), user_id: user }));
    const eventBytes = await copy('SecurityEvent', { id: 'NULL', user_id: user, session_id: session });
    const endedBytes = await copy('RevokedSession', { id: session, user_id: user });
    const { value, metadata } = await kv.getWithMetadata(key);
    const sessionBytes = key.length + (value?.length ?? 0) + JSON.stringify(metadata).length;
    return { userBytes, eventBytes, endedBytes, sessionBytes };
  });

/** Leaves one row of each kind as the app writes it, and a session. */
async function liveALittle(kv: KVNamespace, db: D1Database): Promise<{ userId: string; key: string }> {
  const options = { kv, db, layout: 'owner', passwordHash: scryptPasswordHash, users: plainUsers } as const;
  const laptop = new Browser();
  const phone = new Browser();
  await signUp(laptop.request(options), 'ada-lovely', PASSWORD);
  await signIn(phone.request(options), 'ada-lovely', PASSWORD);
  const [userId = '', token = ''] = (phone.cookie ?? '').split('.');
  const event = laptop.request(options);
  await revokeSession(event, await requireSession(event), sessionIdFor(userId, token));
  await laptop.settle();
  const [own = '', ownToken = ''] = (laptop.cookie ?? '').split('.');
  return { userId, key: `session:${sessionIdFor(own, ownToken)}` };
}

/** Copies the newest row of a table with some columns changed, and returns what a copy adds to the database. */
async function bytesOfCopies(
  db: D1Database,
  table: string,
  changed: Record<string, string>,
): Promise<number> {
  const columns = (
    await db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all<{ name: string }>()
  ).results.map(({ name }) => name);
  const values = columns.map((name) => changed[name] ?? `one.${name}`);
  const { meta: before } = await db.prepare('SELECT 1').run();
  const { meta: after } = await db
    .prepare(
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${COPIES})
       INSERT INTO ${table} (${columns.join(', ')})
       SELECT ${values.join(', ')} FROM n, (SELECT * FROM ${table} ORDER BY rowid DESC LIMIT 1) AS one`,
    )
    .run();
  return Math.round((after.size_after - before.size_after) / COPIES);
}
