import { randomBytes } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runQuietly } from './processes.mjs';

/** The default of wrangler and of svelte.config.js. Local KV and D1 are stored here. */
export const STATE_FOLDER = '.wrangler/state';
/** The first port on which the end-to-end tests serve the app. `E2E_PORT` moves them all. */
export const E2E_PORT = 8790;
/** The servers on these ports, in this order. */
export const E2E_SERVERS = [
  {
    name: 'owner',
    vars: { SESSION_LAYOUT: 'owner', SHOW_COST: 'on', SOURCE_URL: 'https://example.com/source' },
  },
  // This one does not show the cost, so that both settings are tested.
  { name: 'index', vars: { SESSION_LAYOUT: 'index', SHOW_COST: 'off' } },
  // A device's proof expires while somebody views a page, but lasts longer than a session is accepted without one. So the browser refreshes
  // it with every page.
  { name: 'bound', https: true, vars: { BOUND_COOKIE_SECONDS: '11' } },
];
const SECRET_BYTES = 32;

export async function generateClient() {
  await runQuietly('prisma', ['generate', '--no-hints']);
}

export async function build() {
  await runQuietly('vite', ['build', '--logLevel', 'warn']);
}

/**
 * Brings the local D1 of a state folder up to date. CI=true answers wrangler's "continue?" with yes.
 *
 * @param {string} stateFolder
 */
export async function migrate(stateFolder) {
  const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', stateFolder];
  await runQuietly('wrangler', args, { CI: 'true' });
}

/**
 * Creates the local secret in `.dev.vars`, which git ignores, unless it exists. The rest of the file stays unchanged. `.dev.vars.example`
 * says what the secret is for.
 */
export function ensureDevVars() {
  const file = join(ROOT, '.dev.vars');
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (/^\s*COOKIE_SECRET\s*=/m.test(before)) return;
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const newLine = before === '' || before.endsWith('\n') ? '' : '\n';
  appendFileSync(file, `${newLine}COOKIE_SECRET="${secret}"\n`, { mode: 0o600 });
}
