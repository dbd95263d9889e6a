import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runQuietly } from './processes.mjs';

/** The default of wrangler and of svelte.config.js; local KV and D1 are under it. */
export const STATE_FOLDER = '.wrangler/state';
/** Where the end-to-end tests serve the app; the layout `index` one further. `E2E_PORT` moves both. */
export const E2E_PORT = 8790;
const SECRET_BYTES = 32;

export async function generateClient() {
  await runQuietly('prisma', ['generate', '--no-hints']);
}

export async function build() {
  await runQuietly('vite', ['build', '--logLevel', 'warn']);
}

/**
 * Brings the local D1 of a state folder up to date. CI=true answers wrangler's "continue?" with yes.
 * @param {string} stateFolder
 */
export async function migrate(stateFolder) {
  const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', stateFolder];
  await runQuietly('wrangler', args, { CI: 'true' });
}

/** Makes the local secrets (`.dev.vars`, which git ignores), unless they are there. `.dev.vars.example` says what is in it. */
export function ensureDevVars() {
  try {
    const secret = randomBytes(SECRET_BYTES).toString('base64url');
    writeFileSync(join(ROOT, '.dev.vars'), `DEVICE_COOKIE_SECRET="${secret}"\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
