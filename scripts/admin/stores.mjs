import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outputOf, StepFailed } from '../lib/processes.mjs';

/** @typedef {ReturnType<typeof openStores>} Stores */

/**
 * An operator's access to KV and D1 through wrangler's own commands. They work on the local and the deployed stores, and use the operator's
 * sign-in to Cloudflare. If wrangler fails, this throws `StepFailed`.
 *
 * @param {{ remote: boolean, preview: boolean, stateFolder: string }} which `stateFolder`: the folder of the local stores
 */
export function openStores({ remote, preview, stateFolder }) {
  const where = remote ? ['--remote'] : ['--local', '--persist-to', stateFolder];
  const environment = preview ? ['--env', 'preview'] : [];

  /** @param {...string} words @returns {Promise<string>} what wrangler printed */
  async function wrangler(...words) {
    const { code, out, error } = await outputOf('wrangler', [...words, ...where, ...environment], {
      // Its output may contain rows with password hashes, and its log files repeat the output.
      env: { WRANGLER_WRITE_LOGS: 'false' },
    });
    if (code === 0) return out;
    const said = `${out}\n${error}`.trim();
    const migrate = remote
      ? `npx wrangler ${['d1 migrations apply DB --remote', ...environment].join(' ')}`
      : 'npm run db:migrate';
    const mend = said.includes('no such table') ? `\nApply the migrations first: "${migrate}".` : '';
    throw new StepFailed(`wrangler ${words.slice(0, 3).join(' ')} ended with code ${code}:\n${said}${mend}`);
  }

  /**
   * Runs a command that reads a list of keys from a JSON file.
   *
   * @param {string[]} names
   * @param {string[]} words before the file
   * @param {string[]} options after it
   */
  async function withFile(names, words, options) {
    const folder = await mkdtemp(join(tmpdir(), 'admin-'));
    try {
      const file = join(folder, 'list.json');
      await writeFile(file, JSON.stringify(names));
      return await wrangler(...words, file, ...options, '--binding', 'SESSIONS');
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  return {
    name: `the ${remote ? 'deployed' : 'local'}${preview ? ' preview' : ''} stores`,

    /**
     * Runs SQL statements on D1, one after another.
     *
     * @param {...string} statements
     * @returns {Promise<Record<string, unknown>[][]>} the rows of each
     */
    async query(...statements) {
      const output = await wrangler(
        'd1',
        'execute',
        'DB',
        '--yes',
        '--json',
        '--command',
        statements.join('; '),
      );
      /** @type {{ results: Record<string, unknown>[] }[]} */
      const answers = jsonIn(output);
      return answers.map(({ results }) => results);
    },

    /** Wrangler's list of the migrations that D1 lacks, as printed. */
    pendingMigrations: () => wrangler('d1', 'migrations', 'list', 'DB'),

    /**
     * The keys in KV that begin with `prefix`, with their metadata.
     *
     * @param {string} prefix
     * @returns {Promise<{ name: string, metadata?: unknown }[]>}
     */
    async keys(prefix) {
      return jsonIn(await wrangler('kv', 'key', 'list', '--binding', 'SESSIONS', '--prefix', prefix));
    },

    /**
     * The values of at most 100 keys, which is what Cloudflare's API reads in one request.
     *
     * @param {string[]} names
     * @returns {Promise<[name: string, value: unknown][]>}
     */
    async values(names) {
      return Object.entries(jsonIn(await withFile(names, ['kv', 'bulk', 'get'], [])));
    },

    /** @param {string[]} names */
    async deleteKeys(names) {
      if (names.length > 0) await withFile(names, ['kv', 'bulk', 'delete'], ['--force']);
    },
  };
}

/**
 * Parses the JSON in wrangler's output, after any notice.
 *
 * @param {string} output
 */
export function jsonIn(output) {
  const start = output.search(/^[[{]/m);
  if (start < 0) throw new StepFailed(`wrangler answered with something that is not JSON:\n${output}`);
  try {
    return JSON.parse(output.slice(start));
  } catch {
    // The parser's error would quote the output.
    throw new StepFailed('wrangler answered with JSON that breaks off: run this again.');
  }
}

/**
 * Returns a user id that contains nothing that could end an SQL literal: wrangler takes SQL only as text.
 *
 * @param {unknown} id
 */
export function requireUserId(id) {
  const userId = String(id);
  if (/^[A-Za-z0-9_-]+$/.test(userId)) return userId;
  throw new StepFailed(`The user id ${JSON.stringify(userId)} is not one of this app's.`);
}

/**
 * @param {number} count
 * @param {string} what
 */
export function counted(count, what) {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
