/** Miniflare's KV and D1 with the app's tables, filled with other users. */
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { readMigrations } from '../../tests/simulation/sqlite-d1';

const OTHERS = 1_000;

/** Calls `work` with new stores. Until it is done, nothing is printed, and it may replace `Date.now`. */
export async function withStores<T>(work: (kv: KVNamespace, db: D1Database) => Promise<T>): Promise<T> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: 'export default { fetch: () => new Response() }',
      compatibilityDate: '2026-10-01',
      kvNamespaces: ['SESSIONS'],
      d1Databases: ['DB'],
      cf: false,
    }),
  );
  const { now, log } = { now: Date.now, log: console.log };
  console.log = () => undefined;
  try {
    const kv = (await miniflare.getKVNamespace('SESSIONS')) as unknown as KVNamespace;
    const db = (await miniflare.getD1Database('DB')) as unknown as D1Database;
    for (const statement of readMigrations().join('\n').replace(/--.*$/gm, '').split(';')) {
      if (statement.trim() !== '') await db.prepare(statement).run();
    }
    await db
      .prepare(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${OTHERS})
         INSERT INTO User (id, username) SELECT 'other-' || i, 'other-' || i FROM n`,
      )
      .run();
    return await work(kv, db);
  } finally {
    Object.assign(Date, { now });
    Object.assign(console, { log });
    await miniflare.dispose();
  }
}
