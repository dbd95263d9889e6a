import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, StepFailed } from '../lib/processes.mjs';
import { problemsInConfig, problemsInSource, problemsInTree } from './checks.mjs';
import { parseConfig } from './config.mjs';

export const CONFIG = join(ROOT, 'wrangler.toml');

/**
 * Throws with all that can be known to go wrong before anything is asked or made.
 * @param {{ allowDirty: boolean, skipBuild: boolean }} options
 */
export function requireNoProblems({ allowDirty, skipBuild }) {
  const current = readFileSync(CONFIG, 'utf8');
  const config = parseConfig(current);
  const problems = [
    ...problemsInConfig(config),
    ...problemsInSource(sources()),
    ...(allowDirty ? [] : uncommitted(current)),
  ];
  if (skipBuild && !existsSync(join(ROOT, String(config.pages_build_output_dir), '_worker.js'))) {
    problems.push('--skip-build: there is no build yet. Leave it out.');
  }
  if (problems.length === 0) return;
  const listed = problems.map((problem) => `  - ${problem}`).join('\n');
  throw new StepFailed(`Nothing was changed, because this would not work:\n${listed}`);
}

function sources() {
  const folder = join(ROOT, 'src');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(?:[cm]?[jt]s|svelte)$/.test(path))
    .map((path) => ({ path: `src/${path}`, text: readFileSync(join(folder, path), 'utf8') }));
}

/**
 * @param {string} current wrangler.toml as it is
 * @returns {string[]}
 */
function uncommitted(current) {
  const status = git('status', '--porcelain');
  // Without git there is nothing to compare with.
  if (status === null) return [];
  return problemsInTree({ status, committed: git('show', 'HEAD:./wrangler.toml') ?? '', current });
}

/** Whether wrangler.toml differs from the last commit. */
export function configIsUncommitted() {
  return git('rev-parse', 'HEAD') !== null && git('diff', '--quiet', 'HEAD', '--', 'wrangler.toml') === null;
}

/**
 * @param {string[]} args
 * @returns {string | null} what git printed; null when it failed, as without a repository or a commit
 */
function git(...args) {
  const { status, stdout } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout : null;
}
