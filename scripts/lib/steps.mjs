import { toolEnvironment } from './environment.mjs';
import { runQuietly } from './processes.mjs';

/** The default of wrangler and of svelte.config.js; local KV and D1 are under it. */
export const STATE_FOLDER = '.wrangler/state';

export async function generateClient() {
  await runQuietly('prisma', ['generate', '--no-hints'], toolEnvironment());
}

export async function build() {
  await runQuietly('vite', ['build', '--logLevel', 'warn'], toolEnvironment());
}

/**
 * Brings the local D1 of a state folder up to date. CI=true answers wrangler's "continue?" with yes.
 * @param {string} stateFolder
 */
export async function migrate(stateFolder) {
  const args = ['d1', 'migrations', 'apply', 'DB', '--local', '--persist-to', stateFolder];
  await runQuietly('wrangler', args, { ...toolEnvironment(), CI: 'true' });
}
