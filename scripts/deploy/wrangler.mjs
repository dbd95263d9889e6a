import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { toolEnvironment } from '../lib/environment.mjs';
import { exitOf, startTool, StepFailed } from '../lib/processes.mjs';

/**
 * The commands of wrangler that a deployment takes. Each is one call, and each throws `StepFailed` with what wrangler said and
 * what to do about it.
 */

const RIGHTS = 'Cloudflare Pages: Edit, Workers KV Storage: Edit, D1: Edit';
const SIGN_IN = `Sign in with "npx wrangler login", or set CLOUDFLARE_API_TOKEN to a token with the rights ${RIGHTS} (and CLOUDFLARE_ACCOUNT_ID).`;
const AGAIN = 'Run the same command again: what is done stays done, and it goes on from here.';

/** What wrangler says, and what to do about it; the first that fits. */
const MENDS = /** @type {const} */ ([
  [/not authenticated|"loggedIn":\s*false|CLOUDFLARE_API_TOKEN environment variable|Not logged in/, SIGN_IN],
  [
    /code: (?:10000|9109|6003)\b|Authentication error|Invalid access token/,
    `The sign-in was refused. ${SIGN_IN}`,
  ],
  [/code: (?:7404|10041|8000022)\b|not found: .*(?:KV|D1)|database .* not found/i, unknownId()],
  [/SQLITE_ERROR|code: 7500\b/, sqlFailed()],
  [
    /Failed to automatically retrieve account|More than one account/,
    'Set CLOUDFLARE_ACCOUNT_ID to the account that is meant.',
  ],
  [
    /startup exceeded CPU|exceeded size limit/i,
    'The worker is too large: see "What each failure looks like" in docs/deploy.md.',
  ],
  [/fetch failed|API failed\.\s*$/, `Cloudflare was not reached: look at the connection. ${AGAIN}`],
  [/./s, AGAIN],
]);

function unknownId() {
  return 'wrangler.toml holds an id that is not in this account, as after a fork. Put its zeros back ("git log -p wrangler.toml") and run the same command again: the store is then made, or found by its name.';
}

function sqlFailed() {
  return 'That migration was rolled back, the ones before it stay. Mend its SQL and run the same command again.';
}

/** What wrangler adds to an error that helps nobody here. */
const NOISE = /^.*(?:Logs were written to|please open an issue|github\.com\/cloudflare\/workers-sdk).*$\n?/gm;

/**
 * Runs a command of wrangler.
 * @param {string[]} args
 * @param {{ input?: string, env?: NodeJS.ProcessEnv }} [options] `input` goes to its standard input
 * @returns {Promise<{ code: number, out: string, said: string }>} `said` is all it printed, readable
 */
async function run(args, { input, env } = {}) {
  const child = startTool('wrangler', args, {
    // CI=true: no question is asked.
    env: { ...toolEnvironment(), CI: 'true', FORCE_COLOR: '0', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  child.stdin?.end(input);
  const [code, out, error] = await Promise.all([
    exitOf(child),
    child.stdout ? text(child.stdout) : '',
    child.stderr ? text(child.stderr) : '',
  ]);
  const said = stripVTControlCharacters(`${out}\n${error}`).replaceAll(NOISE, '').trim();
  return { code, out: stripVTControlCharacters(out), said };
}

/**
 * As `run`, and throws unless it went well.
 * @param {string[]} args
 * @param {Parameters<typeof run>[1]} [options]
 */
export async function succeed(args, options) {
  const { code, out, said } = await run(args, options);
  if (code === 0) return out;
  const firstOption = args.findIndex((word) => word.startsWith('--'));
  const words = args.slice(0, firstOption < 0 ? args.length : firstOption);
  throw failure(`wrangler ${words.join(' ')}`, said);
}

/**
 * @param {string} command what failed
 * @param {string} said what it said
 * @returns {StepFailed} both, and what to do about it
 */
export function failure(command, said) {
  const mend = MENDS.find(([pattern]) => pattern.test(said))?.[1] ?? AGAIN;
  // Before it, wrangler tells what went well.
  const error = said.slice(Math.max(0, said.search(/^\S* ?\[ERROR\]/m)));
  const quoted = error.replaceAll(/\n\s*\n/g, '\n').replaceAll(/^/gm, '    ');
  return new StepFailed(`"${command}" failed:\n${quoted}\n  What to do: ${mend}`);
}

/**
 * The account to deploy to: CLOUDFLARE_ACCOUNT_ID, or the only one that the sign-in reaches.
 * @returns {Promise<string>} its id
 */
export async function findAccount() {
  if (process.env.CLOUDFLARE_ACCOUNT_ID) return process.env.CLOUDFLARE_ACCOUNT_ID;
  /** @type {{ accounts: { id: string, name: string }[] }} */
  const { accounts } = jsonIn(await succeed(['whoami', '--json']), '{');
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
  const namespaces = jsonIn(await succeed(['kv', 'namespace', 'list']), '[');
  return new Map(namespaces.map(({ id, title }) => [title, id]));
}

/** @returns {Promise<Map<string, string>>} the D1 databases of the account: name → id */
export async function d1Databases() {
  /** @type {{ uuid: string, name: string }[]} */
  const databases = jsonIn(await succeed(['d1', 'list', '--json']), '[');
  return new Map(databases.map(({ uuid, name }) => [name, uuid]));
}

/**
 * @param {import('./config.mjs').Store} store
 * @returns {Promise<string>} the new store's id
 */
export async function createStore({ kind, title }) {
  const out = await succeed(kind === 'kv' ? ['kv', 'namespace', 'create', title] : ['d1', 'create', title]);
  const id = (kind === 'kv' ? /\b[0-9a-f]{32}\b/ : /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/).exec(
    out,
  );
  if (!id)
    throw new StepFailed(`"${title}" was made, but wrangler did not say its id.\n  What to do: ${AGAIN}`);
  return id[0];
}

/**
 * @param {string} project
 * @param {string} productionBranch
 */
export async function createProject(project, productionBranch) {
  // --force: run by a coding agent, wrangler would deploy a Worker in place of making a Pages project.
  await succeed(['pages', 'project', 'create', project, '--production-branch', productionBranch, '--force']);
}

/**
 * @param {string} project
 * @param {'preview' | 'production'} environment
 * @param {string} name
 * @param {string} value goes through standard input: arguments can be read by every user of a machine
 */
export async function putSecret(project, environment, name, value) {
  await succeed(['pages', 'secret', 'put', name, '--project-name', project, '--env', environment], {
    input: value,
  });
}

/**
 * Applies the migrations that a deployed D1 lacks.
 * @param {string} binding
 * @param {string | null} environment a section of wrangler.toml, null for its top level
 * @returns {Promise<string[]>} the migrations that were applied
 */
export async function applyMigrations(binding, environment) {
  // The top level is named as well: left out, CLOUDFLARE_ENV would choose, and with it another database.
  const out = await succeed(['d1', 'migrations', 'apply', binding, '--remote', '--env', environment ?? '']);
  return [...new Set(out.match(/\b\d+_\w+\.sql\b/g) ?? [])];
}

/**
 * Uploads the build.
 * @param {string} project
 * @param {string} branch decides what it becomes: the project's production branch, or a preview
 * @returns {Promise<{ url: string, alias?: string, environment: string, production_branch: string }>}
 */
export async function deployPages(project, branch) {
  const folder = mkdtempSync(join(tmpdir(), 'deploy-'));
  try {
    const file = join(folder, 'output.ndjson');
    await succeed(['pages', 'deploy', '--project-name', project, '--branch', branch], {
      env: { WRANGLER_OUTPUT_FILE_PATH: file },
    });
    const entries = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const deployed = entries.find(({ type }) => type === 'pages-deploy-detailed');
    if (deployed) return deployed;
    throw new StepFailed(`It is deployed, but wrangler did not say where.\n  What to do: ${AGAIN}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * The JSON in what wrangler printed, after any notice of its own.
 * @param {string} output
 * @param {'[' | '{'} opening
 */
export function jsonIn(output, opening) {
  const lines = output.split('\n');
  const start = lines.findIndex((line) => line.startsWith(opening));
  if (start < 0) throw new StepFailed(`wrangler answered with something that is not JSON:\n${output}`);
  return JSON.parse(lines.slice(start).join('\n'));
}
