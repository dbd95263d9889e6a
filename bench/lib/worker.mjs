import { readFileSync, readdirSync } from 'node:fs';
import { Miniflare, convertV4MiniflareOptions } from 'miniflare';

export const COMPATIBILITY = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] };

/**
 * A worker in a workerd of its own, with a KV and a D1 of its own, in memory.
 * @typedef {Awaited<ReturnType<typeof startWorker>>} Worker
 */

/**
 * @param {string} name
 * @param {import('./bundle.mjs').Module[]} modules
 * @param {{ sql?: string, bindings?: Record<string, string>, serviceBindings?: Record<string, () => unknown> }} [options] `sql`: statements that make the tables
 */
export async function startWorker(name, modules, { sql, ...options } = {}) {
  const before = workerds();
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name,
      modules,
      ...COMPATIBILITY,
      kvNamespaces: ['SESSIONS', 'LISTS'],
      d1Databases: ['DB'],
      host: '127.0.0.1',
      port: 0,
      // The worker's own socket: Miniflare's proxy before it costs more than most of what is measured.
      unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      cf: false,
      // What a worker logs is not looked at, but has to be taken.
      handleStructuredLogs: () => {},
      ...options,
    }),
  );
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL(name);
  const pid = workerds().find((one) => !before.includes(one));
  if (sql) {
    const db = await miniflare.getD1Database('DB');
    await db.batch(statements(sql).map((one) => db.prepare(one)));
  }
  return { name, url, miniflare, pid };
}

/** @param {string} sql */
function statements(sql) {
  return sql
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** The process ids of the workerds that this process has started; none where there is no /proc. */
function workerds() {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => pid > 0 && isOurWorkerd(pid));
  } catch {
    return [];
  }
}

/** @param {number} pid */
function isOurWorkerd(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.includes('(workerd)') && Number(stat.split(') ')[1]?.split(' ')[1]) === process.pid;
  } catch {
    return false; // it ended meanwhile
  }
}
