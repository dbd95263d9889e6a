/**
 * `npm run admin -- <command>`: operator tasks on the stores themselves. Each command is a file in scripts/admin and is imported only when
 * it runs, because it needs the Node that comes with the packages.
 */
import { resolve } from 'node:path';
import { openStores } from './admin/stores.mjs';
import { command } from './lib/command.mjs';
import { StepFailed } from './lib/processes.mjs';
import { STATE_FOLDER } from './lib/steps.mjs';

const usage = `Usage:
  npm run admin -- end-sessions <username> [options]   ends every session of a user, everywhere, at once
  npm run admin -- purge [options]                     deletes expired rows, and records of deleted accounts
  npm run admin -- export [file] [options]             writes users, keys and sessions to a file (accounts.export.ndjson)

Options:
  --remote           the deployed stores instead of this machine's
  --preview          the stores of [env.preview]
  --persist-to DIR   this machine's stores under DIR (${STATE_FOLDER})`;

const options = /** @type {const} */ ({
  remote: { type: 'boolean' },
  preview: { type: 'boolean' },
  'persist-to': { type: 'string' },
});

await command({ usage, options, operands: true }, async (values, [name, operand, ...more]) => {
  const { remote = false, preview = false, 'persist-to': folder } = values;
  if (remote && folder !== undefined) {
    throw new StepFailed('--persist-to is for stores on this machine: leave it out with --remote.');
  }
  const stateFolder = resolve(String(folder ?? STATE_FOLDER));
  const stores = openStores({ remote: remote === true, preview: preview === true, stateFolder });
  if (more.length > 0) throw new StepFailed(usage);
  if (name === 'purge' && operand === undefined) return (await import('./admin/purge.mjs')).purge(stores);
  if (name === 'export') return (await import('./admin/export.mjs')).exportAccounts(stores, operand);
  if (name === 'end-sessions' && operand) {
    return (await import('./admin/end-sessions.mjs')).endSessions(stores, operand);
  }
  throw new StepFailed(usage);
});
