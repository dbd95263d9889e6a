import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { outputOf, StepFailed } from '../lib/processes.mjs';

/** How a deployment calls wrangler and Cloudflare's API. Each call throws `StepFailed` with the error and what to do about it. */

const RIGHTS =
  'Cloudflare Pages: Edit (or with --workers, Workers Scripts: Edit), Workers KV Storage: Edit, D1: Edit';
const SIGN_IN = `Sign in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN to a token with the rights ${RIGHTS} (and CLOUDFLARE_ACCOUNT_ID).`;
export const AGAIN = 'Run the same command again: what is done stays done, and it goes on from here.';

/** Patterns of errors, and what to do about them. The first match counts. @type {[RegExp, string][]} */
const MENDS = [
  [/not authenticated|"loggedIn":\s*false|CLOUDFLARE_API_TOKEN environment variable|Not logged in/, SIGN_IN],
  [
    /code: (?:10000|9109|6003)\b|Authentication error|Invalid access token/,
    `The sign-in was refused. ${SIGN_IN}`,
  ],
  [
    /code: (?:7404|10041|8000022)\b|not found: .*(?:KV|D1)|database .* not found/i,
    'wrangler.toml holds an id that is not in this account, as after a fork. Put its zeros back ("git log -p wrangler.toml") and run the same command again: the store is then made, or found by its name.',
  ],
  [
    /SQLITE_ERROR|code: 7500\b/,
    'That migration was rolled back, the ones before it stay. Mend its SQL and run the same command again.',
  ],
  [
    /Failed to automatically retrieve account|More than one account/,
    'Set CLOUDFLARE_ACCOUNT_ID to the account that is meant.',
  ],
  [
    /startup exceeded CPU|exceeded size limit/i,
    'The worker is too large: see "What each failure looks like" in docs/deploy.md.',
  ],
  [/fetch failed|API failed\.\s*$/, `Cloudflare was not reached: look at the connection. ${AGAIN}`],
];

/** Lines in wrangler's errors that do not help here. */
const NOISE = /^.*(?:Logs were written to|please open an issue|github\.com\/cloudflare\/workers-sdk).*$\n?/gm;

/**
 * @param {string} command what failed
 * @param {string} said what it said
 * @returns {StepFailed} both, and what to do about it
 */
function failure(command, said) {
  const mend = MENDS.find(([pattern]) => pattern.test(said))?.[1] ?? AGAIN;
  // Before the error, wrangler lists what succeeded.
  const error = said.slice(Math.max(0, said.search(/^\S* ?\[ERROR\]/m)));
  const quoted = error.replaceAll(/\n\s*\n/g, '\n').replaceAll(/^/gm, '    ');
  return new StepFailed(`"${command}" failed:\n${quoted}\n  What to do: ${mend}`);
}

/**
 * Runs a command of wrangler.
 * @param {string[]} args
 * @param {{ input?: string, env?: NodeJS.ProcessEnv }} [options] `input` goes to its standard input
 * @returns {Promise<string>} what it printed
 */
export async function wrangler(args, { input, env } = {}) {
  // CI=true suppresses questions.
  const { code, out, error } = await outputOf('wrangler', args, {
    ...(input !== undefined && { input }),
    env: { CI: 'true', FORCE_COLOR: '0', ...env },
  });
  if (code === 0) return stripVTControlCharacters(out);
  const firstOption = args.findIndex((word) => word.startsWith('--'));
  const words = args.slice(0, firstOption < 0 ? args.length : firstOption);
  const said = stripVTControlCharacters(`${out}\n${error}`).replaceAll(NOISE, '').trim();
  throw failure(`wrangler ${words.join(' ')}`, said);
}

/**
 * Returns the JSON that a wrangler command prints, after any notice.
 *
 * @param {string[]} args
 * @param {Parameters<typeof wrangler>[1]} [options]
 */
async function wranglerJson(args, options) {
  const out = await wrangler(args, options);
  const start = out.search(/^[[{]/m);
  if (start < 0) throw new StepFailed(`wrangler answered with something that is not JSON:\n${out}`);
  return JSON.parse(out.slice(start));
}

/**
 * Runs a command of wrangler that deploys.
 * @param {string[]} args
 * @param {string} type of the entry of its output file that tells where it went (workers-sdk, output.ts)
 * @returns {Promise<any>} that entry
 */
export async function deployByWrangler(args, type) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    const file = join(folder, 'output.ndjson');
    await wrangler(args, { env: { WRANGLER_OUTPUT_FILE_PATH: file } });
    const entries = readFileSync(file, 'utf8').trim().split('\n');
    const deployed = entries.map((line) => JSON.parse(line)).find((entry) => entry.type === type);
    if (deployed) return deployed;
    throw new StepFailed(`It is deployed, but wrangler did not say where.\n  What to do: ${AGAIN}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The account to deploy to: CLOUDFLARE_ACCOUNT_ID, or the only account that the sign-in can access.
 *
 * @returns {Promise<string>} its id
 */
export async function findAccount() {
  if (process.env.CLOUDFLARE_ACCOUNT_ID) return process.env.CLOUDFLARE_ACCOUNT_ID;
  /** @type {{ accounts: { id: string, name: string }[] }} */
  const { accounts } = await wranglerJson(['whoami', '--json']);
  const [account, ...others] = accounts;
  if (!account) throw new StepFailed(`The sign-in reaches no account.\n  What to do: ${SIGN_IN}`);
  if (others.length === 0) return account.id;
  const listed = accounts.map(({ id, name }) => `    ${id}  ${name}`).join('\n');
  throw new StepFailed(
    `The sign-in reaches ${accounts.length} accounts:\n${listed}\n  What to do: set CLOUDFLARE_ACCOUNT_ID to the one that is meant.`,
  );
}

/** @returns {Promise<Map<string, string>>} the KV namespaces of the account: title → id */
export async function kvNamespaces() {
  /** @type {{ id: string, title: string }[]} */
  const namespaces = await wranglerJson(['kv', 'namespace', 'list']);
  return new Map(namespaces.map(({ id, title }) => [title, id]));
}

/** @returns {Promise<Map<string, string>>} the D1 databases of the account: name → id */
export async function d1Databases() {
  /** @type {{ uuid: string, name: string }[]} */
  const databases = await wranglerJson(['d1', 'list', '--json']);
  return new Map(databases.map(({ uuid, name }) => [name, uuid]));
}

/**
 * @param {import('./config.mjs').Store} store
 * @param {string | null} location of a database: a hint, null to leave it to Cloudflare
 * @returns {Promise<string>} the new store's id
 */
export async function createStore({ kind, title }, location) {
  const [args, id] =
    kind === 'kv'
      ? [['kv', 'namespace', 'create', title], /\b[0-9a-f]{32}\b/]
      : [
          ['d1', 'create', title, ...(location ? ['--location', location] : [])],
          /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/,
        ];
  const found = id.exec(await wrangler(args));
  if (found) return found[0];
  throw new StepFailed(`"${title}" was made, but wrangler did not say its id.\n  What to do: ${AGAIN}`);
}

/**
 * Applies the migrations that a deployed D1 lacks.
 * @param {string} binding
 * @param {string[]} where the words that name the configuration and its environment
 * @returns {Promise<string[]>} the migrations that were applied
 */
export async function applyMigrations(binding, where) {
  const out = await wrangler(['d1', 'migrations', 'apply', binding, '--remote', ...where]);
  return [...new Set(out.match(/\b\d+_\w+\.sql\b/g) ?? [])];
}

const API = process.env.CLOUDFLARE_API_BASE_URL ?? 'https://api.cloudflare.com/client/v4';
const ANSWER_WITHIN_MILLISECONDS = 30_000;

/**
 * Calls Cloudflare's API directly, with wrangler's sign-in, for what no wrangler command returns.
 *
 * @param {'GET' | 'DELETE'} method
 * @param {string} path below the account's
 * @param {number[]} [expected] the error codes that the caller handles itself
 * @returns {Promise<{ result: any, errors: { code: number, message: string }[], result_info?: { total_count?: number } }>}
 */
export async function callApi(method, path, expected = []) {
  const token =
    process.env.CLOUDFLARE_API_TOKEN ??
    // wrangler's log files repeat its output.
    (await wranglerJson(['auth', 'token', '--json'], { env: { WRANGLER_WRITE_LOGS: 'false' } })).token;
  const request = {
    method,
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS),
  };
  const asked = `/accounts/${process.env.CLOUDFLARE_ACCOUNT_ID}${path}`;
  try {
    const response = await fetch(API + asked, request);
    /** @type {Awaited<ReturnType<typeof callApi>>} */
    const answer = await response.json();
    if (answer.errors.every(({ code }) => expected.includes(code))) return answer;
    const said = answer.errors.map(({ code, message }) => `${message} [code: ${code}]`).join('\n');
    throw failure(`${method} ${asked}`, said);
  } catch (error) {
    if (error instanceof StepFailed) throw error;
    throw failure(`${method} ${asked}`, `fetch failed: ${error instanceof Error ? error.message : error}`);
  }
}
