import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toolEnvironment } from './environment.mjs';
import { exitOf, startTool, StepFailed } from './processes.mjs';

/** @typedef {{ remote: boolean, preview: boolean, stateFolder: string }} Target which stores are meant */

/**
 * Runs SQL statements on D1, in order.
 * @param {Target} target
 * @param {string[]} statements
 * @returns {Promise<Record<string, unknown>[][]>} the rows of each
 */
export async function query(target, ...statements) {
  const output = await wrangler(target, [
    'd1',
    'execute',
    'DB',
    '--yes',
    '--json',
    '--command',
    statements.join('; '),
  ]);
  /** @type {{ results: Record<string, unknown>[] }[]} */
  const answers = jsonIn(output);
  return answers.map(({ results }) => results);
}

/**
 * Runs a command of wrangler on the target's stores.
 * @param {Target} target
 * @param {string[]} command
 * @returns {Promise<string>} what it printed; throws `StepFailed` with that when it failed
 */
export async function wrangler({ remote, preview, stateFolder }, command) {
  const where = remote ? ['--remote'] : ['--local', '--persist-to', stateFolder];
  const environment = preview ? ['--env', 'preview'] : [];
  const child = startTool('wrangler', [...command, ...where, ...environment], {
    // What it prints are rows with password hashes at times, and its log files repeat what it prints.
    env: { ...toolEnvironment(), WRANGLER_WRITE_LOGS: 'false' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { out: '', error: '' };
  child.stdout?.setEncoding('utf8').on('data', (text) => (output.out += text));
  child.stderr?.setEncoding('utf8').on('data', (text) => (output.error += text));
  const ended = new Promise((close) => child.once('close', close));
  const code = await exitOf(child);
  await ended;
  if (code === 0) return output.out;
  const said = `${output.out}\n${output.error}`.trim();
  const migrate = remote
    ? `npx wrangler ${['d1 migrations apply DB --remote', ...environment].join(' ')}`
    : 'npm run db:migrate';
  const mend = said.includes('no such table') ? `\nApply the migrations first: "${migrate}".` : '';
  throw new StepFailed(`wrangler ${command.slice(0, 3).join(' ')} ended with code ${code}:\n${said}${mend}`);
}

/**
 * The JSON in what wrangler printed, after any notice of its own.
 * @param {string} output
 */
export function jsonIn(output) {
  const start = output.search(/^[[{]/m);
  if (start < 0) throw new StepFailed(`wrangler answered with something that is not JSON:\n${output}`);
  try {
    return JSON.parse(output.slice(start));
  } catch {
    // The error would quote what could not be read.
    throw new StepFailed('wrangler answered with JSON that breaks off: run this again.');
  }
}

/**
 * Runs a command of wrangler that reads a list from a JSON file.
 * @param {Target} target
 * @param {string[]} command its words before the file
 * @param {unknown[]} list
 * @param {string[]} options its words after the file
 */
export async function wranglerWithList(target, command, list, options) {
  const folder = await mkdtemp(join(tmpdir(), 'admin-'));
  try {
    const file = join(folder, 'list.json');
    await writeFile(file, JSON.stringify(list));
    return await wrangler(target, [...command, file, ...options]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * The keys of the session namespace that begin with `prefix`, with their metadata.
 * @param {Target} target
 * @param {string} prefix
 * @returns {Promise<{ name: string, metadata?: unknown }[]>}
 */
export async function listKeys(target, prefix) {
  return jsonIn(await wrangler(target, ['kv', 'key', 'list', '--binding', 'SESSIONS', '--prefix', prefix]));
}

/** @param {Target} target */
export function nameOf({ remote, preview }) {
  return `the ${remote ? 'deployed' : 'local'}${preview ? ' preview' : ''} stores`;
}

/**
 * @param {number} count
 * @param {string} what
 */
export function counted(count, what) {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
