import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';

/** The tools that the scripts start, as files under node_modules: they run on the Node that runs the script. */
const TOOLS = {
  playwright: '@playwright/test/cli.js',
  prisma: 'prisma/build/index.js',
  typescript: 'typescript/bin/tsc',
  vite: 'vite/bin/vite.js',
  wrangler: 'wrangler/bin/wrangler.js',
};

const GRACE_MILLISECONDS = 3_000;
const POLL_MILLISECONDS = 50;
const PARENT_WATCH_MILLISECONDS = 1_000;

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** A step that failed and has already said why. */
export class StepFailed extends Error {}

/**
 * Starts a command in a process group of its own, so that what it starts in turn (wrangler: workerd and esbuild)
 * can be ended with it.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function start(command, args, options) {
  const child = spawn(command, args, { cwd: ROOT, detached: process.platform !== 'win32', ...options });
  running.add(child);
  child.once('exit', () => {
    // The others of its group may outlive it: only an empty group is done with.
    if (!groupIsAlive(child)) running.delete(child);
  });
  return child;
}

/**
 * As `start`, for one of TOOLS.
 * @param {keyof typeof TOOLS} tool
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} options
 */
export function startTool(tool, args, options) {
  return start(process.execPath, [join(ROOT, 'node_modules', TOOLS[tool]), ...args], options);
}

/**
 * Resolves with the exit code of a child (1 when a signal ended it).
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<number>}
 */
export function exitOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * Runs a tool to its end, in silence: what it printed is shown only when it fails.
 * Throws `StepFailed` then.
 * @param {keyof typeof TOOLS} tool
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export async function runQuietly(tool, args, env) {
  const child = startTool(tool, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {Buffer[]} */
  const output = [];
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  const code = await exitOf(child);
  if (code === 0) return;
  process.stderr.write(Buffer.concat(output));
  throw new StepFailed(`"${tool} ${args.join(' ')}" ended with code ${code}.`);
}

/** Ends every group that this script started: politely, then, after a grace period, for certain. */
export async function stopAll() {
  for (const child of running) signalGroup(child, 'SIGTERM');
  const deadline = Date.now() + GRACE_MILLISECONDS;
  while ([...running].some(groupIsAlive) && Date.now() < deadline) await delay(POLL_MILLISECONDS);
  for (const child of running) signalGroup(child, 'SIGKILL');
}

/**
 * Runs a script's body so that nothing it started outlives it, however it ends: by itself, by an error, by Ctrl-C.
 * @param {() => Promise<number | void>} body gives the exit code
 */
export async function main(body) {
  process.on('exit', () => {
    for (const child of running) signalGroup(child, 'SIGKILL');
  });
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    void stopAll().then(() => process.exit(0));
  };
  // Whoever started this may be killed without a word to us.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), PARENT_WATCH_MILLISECONDS).unref();
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    // In a terminal Ctrl-C arrives twice: once from the terminal, once passed on by npm.
    process.on(signal, stop);
  }
  try {
    const code = await body();
    if (stopping) return;
    await stopAll();
    process.exit(code ?? 0);
  } catch (error) {
    if (stopping) return;
    console.error(error instanceof StepFailed ? error.message : error);
    await stopAll();
    process.exit(1);
  }
}

/** @param {import('node:child_process').ChildProcess} child */
function groupIsAlive(child) {
  return signalGroup(child, 0);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals | 0} signal 0 asks whether anyone is there
 * @returns {boolean} whether the group still had a member
 */
export function signalGroup(child, signal) {
  if (child.pid === undefined) return false;
  if (process.platform === 'win32') return signalTreeOnWindows(child, signal);
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Windows knows no process groups; taskkill ends a tree.
 * @param {import('node:child_process').ChildProcess} child
 * @param {NodeJS.Signals | 0} signal
 */
function signalTreeOnWindows(child, signal) {
  const alive = child.exitCode === null && child.signalCode === null;
  if (alive && signal !== 0) spawn('taskkill', ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore' });
  return alive;
}
